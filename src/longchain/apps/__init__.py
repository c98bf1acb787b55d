"""Front doors without logic: they call the library as a user would."""
