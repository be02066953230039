"""The card agent: the program beside the browser through which pages use the card in the reader (ADR 0023).

Start at :mod:`~inkan.client.card_agent.commands`, what is done for a page. A page's request arrives natively
(:mod:`~inkan.client.card_agent.native_host`) or over loopback; who asks is told by the browser, never by the page.
"""
