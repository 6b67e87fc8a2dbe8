"""The books of a library, which a Django admin is about."""
