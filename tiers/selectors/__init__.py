"""What may be read of who is who: one question a function, asked by views and the API through a viewer."""
