package dev.sluice.checkpoint;

import java.nio.ByteBuffer;

/**
 * A file beside the tensors, written when they are all there.
 *
 * @param path below the output's directory, with slashes
 */
record SmallFile(String path, long bytes, Content content) {
    static SmallFile of(String path, byte[] content) {
        return new SmallFile(path, content.length, out -> DurableFiles.writeFully(out, ByteBuffer.wrap(content)));
    }
}
