"""The history of the platform's tables, one file a feature in one fixed chain; run by ``inkan.store.migrate``."""
