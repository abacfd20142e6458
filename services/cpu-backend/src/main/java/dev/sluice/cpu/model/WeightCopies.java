package dev.sluice.cpu.model;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Tensors as they are at one moment, to be written while training changes them. Not thread-safe. */
@SuppressWarnings("try") // scopes work by being open
public final class WeightCopies implements AutoCloseable {
    private final Map<Tensor, Tensor> copies = new IdentityHashMap<>();

    /** The same sources over copies of their tensors, each of which is copied once. */
    public List<WeightSource> of(List<WeightSource> sources) {
        return sources.stream()
                .map(source -> new WeightSource(
                        source.slice(), copies.computeIfAbsent(source.fused(), WeightCopies::copy), source.dtype()))
                .toList();
    }

    private static Tensor copy(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.keep(tensor.detach().clone());
        }
    }

    @Override
    public void close() {
        copies.values().forEach(Tensor::close);
        copies.clear();
    }
}
