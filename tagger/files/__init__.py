"""Files as such: walking folders, names that are bytes, disks of all kinds, writing whole."""
