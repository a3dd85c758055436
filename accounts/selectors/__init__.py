"""What may be read of whose money it is: one question a function, asked by views and the API through a viewer."""
