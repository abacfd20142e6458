package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/** Bytes that can be written once they are asked for, as often as that may be. */
@FunctionalInterface
interface Content {
    void writeTo(WritableByteChannel out) throws IOException;
}
