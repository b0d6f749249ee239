"""The records that go into the catalogue and come out of it; no SQL is needed to use them."""
