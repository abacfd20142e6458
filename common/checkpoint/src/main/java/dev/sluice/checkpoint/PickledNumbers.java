package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.util.ArrayList;
import java.util.List;

/** Shapes and offsets in pickles. */
final class PickledNumbers {
    private static final Global SIZE = new Global("torch", "Size");

    private PickledNumbers() {}

    /** A tuple of integers or a {@code torch.Size}. */
    static List<Long> list(PickleValue value, String where) {
        PickleValue tuple = value;
        if (value instanceof Instance size && size.type().equals(SIZE)) {
            tuple = size.arguments().isEmpty()
                    ? new Tuple(List.of())
                    : size.arguments().getFirst();
        }
        List<Long> numbers = new ArrayList<>();
        boolean valid = tuple instanceof Tuple(List<PickleValue> items) && items.size() <= Shape.MAX_RANK;
        if (valid && tuple instanceof Tuple(List<PickleValue> items)) {
            for (PickleValue item : items) {
                valid &= item instanceof Int(long number) && number >= 0 && numbers.add(number);
            }
        }
        if (!valid) {
            throw new CheckpointException(where + " has something else where a shape or offset belongs");
        }
        return List.copyOf(numbers);
    }

    static PickleValue size(List<Long> numbers) {
        return SIZE.call(Tuple.of(numbers));
    }
}
