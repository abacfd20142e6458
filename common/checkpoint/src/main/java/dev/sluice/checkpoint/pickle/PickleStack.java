package dev.sluice.checkpoint.pickle;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The stack of the pickle machine with its marks. */
final class PickleStack {
    private final List<PickleValue> values = new ArrayList<>();
    private final Deque<Integer> marks = new ArrayDeque<>();

    void push(PickleValue value) {
        values.add(value);
    }

    PickleValue pop() {
        return pop(1).getFirst();
    }

    PickleValue peek() {
        if (values.size() <= floor()) {
            throw new CheckpointException("the pickle takes a value from an empty stack");
        }
        return values.getLast();
    }

    /** The topmost values, oldest first. */
    List<PickleValue> pop(int count) {
        if (values.size() - count < floor()) {
            throw new CheckpointException("the pickle takes a value from an empty stack");
        }
        return cut(values.size() - count);
    }

    void mark() {
        marks.push(values.size());
    }

    List<PickleValue> popToMark() {
        if (marks.isEmpty()) {
            throw new CheckpointException("the pickle closes a group that it never opened");
        }
        return cut(marks.pop());
    }

    void append(List<PickleValue> items) {
        PickleValue target = peek();
        if (target instanceof Sequence sequence) {
            sequence.items().addAll(items);
        } else {
            instance().elements().items().addAll(items);
        }
    }

    void putAll(List<PickleValue> pairs) {
        PickleValue target = peek();
        Dict dict = target instanceof Dict d ? d : instance().items();
        if (pairs.size() % 2 != 0) {
            throw new CheckpointException("the pickle gives a dict a key without a value");
        }
        for (int i = 0; i < pairs.size(); i += 2) {
            dict.put(pairs.get(i), pairs.get(i + 1));
        }
    }

    void make(Instance.Made made) {
        List<PickleValue> parts = pop(2);
        if (parts.get(0) instanceof Global type && parts.get(1) instanceof Tuple arguments) {
            push(new Instance(type, arguments.items(), made));
            return;
        }
        throw new CheckpointException("the pickle makes an object from something that is not a class and a tuple");
    }

    Instance instance() {
        if (peek() instanceof Instance instance) {
            return instance;
        }
        throw new CheckpointException("the pickle changes a value that is not an object");
    }

    String text(PickleValue value) {
        if (value instanceof Text text) {
            return text.value();
        }
        throw new CheckpointException("the pickle names a class by something that is not text");
    }

    private int floor() {
        return marks.isEmpty() ? 0 : marks.peek();
    }

    private List<PickleValue> cut(int from) {
        List<PickleValue> tail = values.subList(from, values.size());
        List<PickleValue> copy = List.copyOf(tail);
        tail.clear();
        return copy;
    }
}
