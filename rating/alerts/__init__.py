"""The watch over calls: spend, places, high-risk destinations. What is money's own stands in `accounts`."""
