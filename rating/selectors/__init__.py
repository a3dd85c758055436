"""What may be read of what it costs: one question a function, asked by views and the API through a viewer."""
