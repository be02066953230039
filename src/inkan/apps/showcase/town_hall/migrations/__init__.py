"""The history of the town hall's own tables; run by ``inkan.store.migrate`` on a database of its own."""
