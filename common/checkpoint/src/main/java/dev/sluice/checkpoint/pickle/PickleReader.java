package dev.sluice.checkpoint.pickle;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Real;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads pickles of protocols 2 to 5 with a closed list of instructions; nothing is imported, called or constructed.
 * Work and memory are bounded by the input, because each instruction makes at most one object.
 *
 * @see <a href="https://github.com/python/cpython/blob/3.12/Lib/pickletools.py">pickletools.py, the definition of the instructions</a>
 */
public final class PickleReader {
    /** Metadata of a 30B model with optimizer state over 64 ranks has about ten million. */
    static final int MAX_INSTRUCTIONS = 32_000_000;

    private static final int MAX_NAME_CHARACTERS = 2 * PickleInput.MAX_LINE_BYTES;

    private final PickleInput in;
    private final PickleStack stack = new PickleStack();
    private final Map<Long, PickleValue> memo = new HashMap<>();

    private PickleReader(ByteBuffer bytes) {
        this.in = new PickleInput(bytes);
    }

    /**
     * Reads one pickle from the start of the buffer, whose position does not move.
     *
     * @param where what this is, for messages
     * @throws CheckpointException if the pickle is cut short, uses another instruction, or names something that runs code in Python
     */
    public static PickleValue read(ByteBuffer bytes, String where) {
        PickleReader reader = new PickleReader(bytes);
        try {
            return reader.run();
        } catch (BufferUnderflowException e) {
            throw new CheckpointException(
                    "%s: the pickle of %d bytes ends in the middle of an instruction; copy the file again"
                            .formatted(where, bytes.remaining()),
                    e);
        } catch (CheckpointException e) {
            throw new CheckpointException(
                    "%s, before byte %d: %s".formatted(where, reader.in.position(), e.getMessage()), e);
        }
    }

    private PickleValue run() {
        for (int count = 0; count < MAX_INSTRUCTIONS; count++) {
            int instruction = in.unsignedByte();
            if (instruction == '.') {
                return stack.pop();
            }
            boolean known =
                    literal(instruction) || structure(instruction) || object(instruction) || memory(instruction);
            if (!known) {
                throw new CheckpointException("the pickle uses instruction 0x%02x at byte %d, which no checkpoint needs"
                        .formatted(instruction, in.position() - 1));
            }
        }
        throw new CheckpointException("the pickle has more than %d instructions".formatted(MAX_INSTRUCTIONS));
    }

    private boolean literal(int instruction) {
        switch (instruction) {
            case 0x80 -> in.protocol();
            case 0x95 -> in.skipFrameLength();
            case 'N' -> stack.push(PickleValue.NONE);
            case 0x88 -> stack.push(new Bool(true));
            case 0x89 -> stack.push(new Bool(false));
            case 'K' -> stack.push(new PickleValue.Int(in.unsignedByte()));
            case 'M' -> stack.push(new PickleValue.Int(in.unsignedShort()));
            case 'J' -> stack.push(new PickleValue.Int(in.signedInt()));
            case 0x8a -> stack.push(in.integer(in.unsignedByte()));
            case 'G' -> stack.push(new Real(in.bigEndianDouble()));
            case 0x8c -> stack.push(new Text(in.text(in.unsignedByte())));
            case 'X' -> stack.push(new Text(in.text(in.unsignedInt())));
            case 0x8d -> stack.push(new Text(in.text(in.length64())));
            case 'C' -> stack.push(new PickleValue.Bytes(in.bytes(in.unsignedByte())));
            case 'B' -> stack.push(new PickleValue.Bytes(in.bytes(in.unsignedInt())));
            case 0x8e, 0x96 -> stack.push(new PickleValue.Bytes(in.bytes(in.length64())));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean structure(int instruction) {
        switch (instruction) {
            case '(' -> stack.mark();
            case '0' -> stack.pop();
            case '1' -> stack.popToMark();
            case '2' -> stack.push(stack.peek());
            case ')' -> stack.push(new Tuple(List.of()));
            case 0x85 -> stack.push(new Tuple(stack.pop(1)));
            case 0x86 -> stack.push(new Tuple(stack.pop(2)));
            case 0x87 -> stack.push(new Tuple(stack.pop(3)));
            case 't' -> stack.push(new Tuple(stack.popToMark()));
            case ']', 0x8f -> stack.push(new Sequence());
            case 'l', 0x91 -> stack.push(Sequence.of(stack.popToMark()));
            case '}' -> stack.push(new Dict());
            case 'a' -> stack.append(stack.pop(1));
            case 'e', 0x90 -> stack.append(stack.popToMark());
            case 's' -> stack.putAll(stack.pop(2));
            case 'u' -> stack.putAll(stack.popToMark());
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean object(int instruction) {
        switch (instruction) {
            case 'c' -> stack.push(global(in.line(), in.line()));
            case 0x93 -> {
                List<PickleValue> names = stack.pop(2);
                stack.push(global(stack.text(names.get(0)), stack.text(names.get(1))));
            }
            case 0x81 -> stack.make(Instance.Made.NEW);
            case 'R' -> stack.make(Instance.Made.CALLED);
            case 0x92 -> {
                PickleValue keywords = stack.pop();
                stack.make(Instance.Made.NEW);
                ((Instance) stack.peek()).items().put("__kwargs__", keywords);
            }
            case 'b' -> {
                PickleValue state = stack.pop();
                stack.instance().withState(state);
            }
            case 'Q' -> stack.push(new PersistentId(stack.pop()));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean memory(int instruction) {
        switch (instruction) {
            case 0x94 -> memo.put((long) memo.size(), stack.peek());
            case 'q' -> memo.put((long) in.unsignedByte(), stack.peek());
            case 'r' -> memo.put(in.unsignedInt(), stack.peek());
            case 'h' -> recall(in.unsignedByte());
            case 'j' -> recall(in.unsignedInt());
            default -> {
                return false;
            }
        }
        return true;
    }

    private void recall(long index) {
        PickleValue value = memo.get(index);
        if (value == null) {
            throw new CheckpointException("the pickle refers to object %d, which it never described".formatted(index));
        }
        stack.push(value);
    }

    private static Global global(String module, String name) {
        // Names become part of messages, one for each object.
        boolean plausible = (long) module.length() + name.length() <= MAX_NAME_CHARACTERS
                && module.indexOf('\n') < 0
                && name.indexOf('\n') < 0;
        if (!plausible) {
            throw new CheckpointException("the pickle names a class by several lines or by more than %d characters"
                    .formatted(MAX_NAME_CHARACTERS));
        }
        DangerousGlobals.check(module, name);
        return new Global(module, name);
    }
}
