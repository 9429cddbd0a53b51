"""What the screens share: loading, keys, lists with a filter."""
