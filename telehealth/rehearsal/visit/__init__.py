"""One whole visit, played against a running server by clients that know only its public interfaces."""
