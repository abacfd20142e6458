package dev.sluice.checkpoint.pickle;

import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Bytes;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Entry;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.None;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Real;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import dev.sluice.checkpoint.pickle.PickleValue.Wide;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes protocol 2 instruction for instruction as CPython's pickler does for values without shared containers. */
public final class PickleWriter {
    /** CPython closes a group of list items or dict pairs after so many. */
    private static final int BATCH = 1000;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Map<PickleValue, Integer> memo = new HashMap<>();
    private int memoised;

    private PickleWriter() {}

    public static byte[] write(PickleValue value) {
        PickleWriter writer = new PickleWriter();
        writer.out.write(0x80);
        writer.out.write(2);
        writer.put(value);
        writer.out.write('.');
        return writer.out.toByteArray();
    }

    private void put(PickleValue value) {
        switch (value) {
            case None none -> out.write('N');
            case Bool bool -> out.write(bool.value() ? 0x88 : 0x89);
            case Int number -> integer(number.value());
            case Real number -> real(number.value());
            case Text text -> once(text, () -> text(text.value()));
            case Global global -> once(global, () -> global(global));
            case Tuple tuple -> tuple(tuple.items());
            case Sequence sequence -> sequence(sequence);
            case Dict dict -> dict(dict);
            case Instance instance -> instance(instance);
            case PersistentId id -> {
                put(id.value());
                out.write('Q');
            }
            case Wide wide -> throw new IllegalArgumentException("integers beyond 64 bits are not written");
            case Bytes bytes -> throw new IllegalArgumentException("bytes are not written");
        }
    }

    private void once(PickleValue key, Runnable emit) {
        Integer index = memo.get(key);
        if (index == null) {
            emit.run();
            memo.put(key, memoise());
        } else if (index < 256) {
            out.write('h');
            out.write(index);
        } else {
            out.write('j');
            littleEndian(index, 4);
        }
    }

    private int memoise() {
        if (memoised < 256) {
            out.write('q');
            out.write(memoised);
        } else {
            out.write('r');
            littleEndian(memoised, 4);
        }
        return memoised++;
    }

    private void integer(long value) {
        if (value >= 0 && value < 1 << 8) {
            out.write('K');
            littleEndian(value, 1);
        } else if (value >= 0 && value < 1 << 16) {
            out.write('M');
            littleEndian(value, 2);
        } else if (value == (int) value) {
            out.write('J');
            littleEndian(value, 4);
        } else {
            int length = (64 - Long.numberOfLeadingZeros(value < 0 ? ~value : value)) / 8 + 1;
            out.write(0x8a);
            out.write(length);
            littleEndian(value, length);
        }
    }

    private void real(double value) {
        out.write('G');
        littleEndian(Long.reverseBytes(Double.doubleToRawLongBits(value)), 8);
    }

    private void text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        out.write('X');
        littleEndian(bytes.length, 4);
        out.writeBytes(bytes);
    }

    private void global(Global global) {
        out.write('c');
        out.writeBytes((global.module() + "\n" + global.name() + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void tuple(List<PickleValue> items) {
        if (items.size() > 3) {
            out.write('(');
        }
        items.forEach(this::put);
        switch (items.size()) {
            case 0 -> out.write(')');
            case 1 -> out.write(0x85);
            case 2 -> out.write(0x86);
            case 3 -> out.write(0x87);
            default -> out.write('t');
        }
        if (!items.isEmpty()) {
            memoise();
        }
    }

    private void sequence(Sequence sequence) {
        out.write(']');
        memoise();
        List<PickleValue> items = sequence.items();
        for (int from = 0; from < items.size(); from += BATCH) {
            List<PickleValue> batch = items.subList(from, Math.min(items.size(), from + BATCH));
            boolean group = batch.size() > 1;
            if (group) {
                out.write('(');
            }
            batch.forEach(this::put);
            out.write(group ? 'e' : 'a');
        }
    }

    private void dict(Dict dict) {
        out.write('}');
        memoise();
        List<Entry> entries = dict.entries();
        for (int from = 0; from < entries.size(); from += BATCH) {
            List<Entry> batch = entries.subList(from, Math.min(entries.size(), from + BATCH));
            boolean group = batch.size() > 1;
            if (group) {
                out.write('(');
            }
            for (Entry entry : batch) {
                put(entry.key());
                put(entry.value());
            }
            out.write(group ? 'u' : 's');
        }
    }

    private void instance(Instance instance) {
        put(instance.type());
        put(new Tuple(instance.arguments()));
        out.write(instance.made() == Instance.Made.NEW ? 0x81 : 'R');
        memoise();
        instance.state().ifPresent(state -> {
            put(state);
            out.write('b');
        });
    }

    private void littleEndian(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> 8 * i));
        }
    }
}
