"""From an event to messages: translate, identity, the catalog, goldens and samples."""
