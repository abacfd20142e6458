package dev.sluice.checkpoint.pickle;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a pickle describes. Classes and functions are only names here: an object remembers how it would be made, and nothing makes it.
 * The mutable kinds compare by identity, since a pickle may describe a list that holds itself.
 */
public sealed interface PickleValue {
    PickleValue NONE = new None();

    /** Python's None. */
    record None() implements PickleValue {}

    /** True or False. */
    record Bool(boolean value) implements PickleValue {}

    /** An integer of at most 64 bits. */
    record Int(long value) implements PickleValue {}

    /** A longer integer. */
    record Wide(BigInteger value) implements PickleValue {}

    /** A float. */
    record Real(double value) implements PickleValue {}

    /** A str. */
    record Text(String value) implements PickleValue {}

    /** A bytes or bytearray; the array is not copied. */
    record Bytes(byte[] value) implements PickleValue {}

    /** A tuple. */
    record Tuple(List<PickleValue> items) implements PickleValue {
        public static Tuple of(PickleValue... items) {
            return new Tuple(List.of(items));
        }

        /** A tuple of integers, such as a shape. */
        public static Tuple of(List<Long> numbers) {
            return new Tuple(numbers.stream().map(n -> (PickleValue) new Int(n)).toList());
        }
    }

    /** A class or function, by name. */
    record Global(String module, String name) implements PickleValue {
        public Instance create(PickleValue... arguments) {
            return new Instance(this, List.of(arguments), Instance.Made.NEW);
        }

        public Instance call(PickleValue... arguments) {
            return new Instance(this, List.of(arguments), Instance.Made.CALLED);
        }

        @Override
        public String toString() {
            return module + "." + name;
        }
    }

    /** A reference to something outside the pickle; torch refers so to tensor storages. */
    record PersistentId(PickleValue value) implements PickleValue {}

    /** A list or set. */
    final class Sequence implements PickleValue {
        private final List<PickleValue> items = new ArrayList<>();

        public static Sequence of(List<? extends PickleValue> items) {
            Sequence sequence = new Sequence();
            sequence.items.addAll(items);
            return sequence;
        }

        public List<PickleValue> items() {
            return items;
        }
    }

    /** One pair of a dict. */
    record Entry(PickleValue key, PickleValue value) {}

    /** A dict in the order of its file; keys are not hashed, since they may be objects. */
    final class Dict implements PickleValue {
        private final List<Entry> entries = new ArrayList<>();

        public List<Entry> entries() {
            return entries;
        }

        public Dict put(String key, PickleValue value) {
            return put(new Text(key), value);
        }

        public Dict put(PickleValue key, PickleValue value) {
            entries.add(new Entry(key, value));
            return this;
        }

        /** The value of a text key; as in Python the last of equal keys counts. */
        public Optional<PickleValue> get(String key) {
            for (int i = entries.size() - 1; i >= 0; i--) {
                if (entries.get(i).key() instanceof Text text && text.value().equals(key)) {
                    return Optional.of(entries.get(i).value());
                }
            }
            return Optional.empty();
        }
    }

    /** An object: what it would be made from, its state, and what would be added to it if it is a container. */
    final class Instance implements PickleValue {
        /** Whether the class's constructor is bypassed or the callable is called. */
        public enum Made {
            NEW,
            CALLED
        }

        private final Global type;
        private final List<PickleValue> arguments;
        private final Made made;
        private final Dict items = new Dict();
        private final Sequence elements = new Sequence();
        private @Nullable PickleValue state;

        public Instance(Global type, List<PickleValue> arguments, Made made) {
            this.type = type;
            this.arguments = List.copyOf(arguments);
            this.made = made;
        }

        public Global type() {
            return type;
        }

        public List<PickleValue> arguments() {
            return arguments;
        }

        public Made made() {
            return made;
        }

        public Dict items() {
            return items;
        }

        public Sequence elements() {
            return elements;
        }

        public Optional<PickleValue> state() {
            return Optional.ofNullable(state);
        }

        public Instance withState(PickleValue newState) {
            state = newState;
            return this;
        }

        /** One attribute of an object whose state is a dict. */
        public Optional<PickleValue> attribute(String name) {
            return state instanceof Dict attributes ? attributes.get(name) : Optional.empty();
        }
    }
}
