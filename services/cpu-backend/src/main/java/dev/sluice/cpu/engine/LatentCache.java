package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Cached latents of the sequences that run, in the weights' type: [layers, rows, positions, line], a row a sequence. Sequences lie in
 * neighbouring rows from 0 on, so that a pass works on a view and nothing is gathered.
 */
@SuppressWarnings("try") // scopes work by being open
final class LatentCache implements AutoCloseable {
    private final Tensor lines;

    LatentCache(ScalarType type, int layers, int rows, int positions, int lineWidth) {
        try (PointerScope scope = new PointerScope()) {
            lines = Tensors.keep(torch.zeros(new long[] {layers, rows, positions, lineWidth}, Tensors.options(type)));
        }
    }

    /** A view of neighbouring rows, in the caller's scope. */
    Tensor rows(int first, int count) {
        return lines.narrow(1, first, count);
    }

    /** Copies the first {@code length} positions of a row over another. */
    void copy(int from, int to, int length) {
        try (PointerScope scope = new PointerScope()) {
            Tensor source = lines.select(1, from).narrow(1, 0, length);
            lines.select(1, to).narrow(1, 0, length).copy_(source);
        }
    }

    /** Bytes of the cache. */
    long bytes() {
        return lines.nbytes();
    }

    @Override
    public void close() {
        lines.close();
    }
}
