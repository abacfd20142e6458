package dev.sluice.checkpoint;

/** A range of bytes in a data file: one archive of {@code torch.save}. */
record StoredItem(String file, long offset, long length) {
    StoredItem {
        if (!Names.isPlainFile(file)) {
            throw new CheckpointException(
                    ".metadata names the data file \"%s\", which is not a plain file name; only files beside .metadata are read"
                            .formatted(file));
        }
        if (offset < 0 || length < 0 || offset + length < 0) {
            throw new CheckpointException(
                    ".metadata places an item at byte %d with length %d in %s".formatted(offset, length, file));
        }
    }

    long end() {
        return offset + length;
    }
}
