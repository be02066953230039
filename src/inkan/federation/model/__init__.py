"""The OpenID provider's values and refusals."""
