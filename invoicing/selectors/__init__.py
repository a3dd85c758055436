"""What may be read of what is owed: one question a function, asked by views and the API through a viewer."""
