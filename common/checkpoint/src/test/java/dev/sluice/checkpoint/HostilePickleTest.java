package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.pickle.PickleReader;
import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pickles that are sound, but made to cost time or memory, or to say one thing to us and another to Python. */
@Timeout(20)
class HostilePickleTest {
    private static final StoredItem PLACE = new StoredItem("a.distcp", 0, 1);

    @ParameterizedTest
    @CsvSource({
        "torch, os.system, run code",
        "builtins, ., ''",
        "torch, nn.Module, ''",
        "'a\nb', c, several lines",
        "a, 'b\nc', several lines"
    })
    void looksUpNamesWithDotsAsPythonDoes(String module, String name, String refusal) {
        // Given two texts that instruction STACK_GLOBAL takes for a class
        ByteBuffer pickle = pickle(out -> {
            text(out, module);
            text(out, name);
            out.write(0x93);
        });

        // When / Then
        if (refusal.isEmpty()) {
            assertThat(PickleReader.read(pickle, "a file")).isEqualTo(new Global(module, name));
        } else {
            assertThatThrownBy(() -> PickleReader.read(pickle, "a file"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("a file, before byte %d: ".formatted(pickle.limit() - 1))
                    .hasMessageContaining(refusal);
        }
    }

    @Test
    void refusesAClassWhoseNameIsLong() {
        ByteBuffer pickle = pickle(out -> {
            text(out, "torch");
            text(out, "x".repeat(3000));
            out.write(0x93);
        });
        assertThatThrownBy(() -> PickleReader.read(pickle, "a file"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("more than 2048 characters");
    }

    @Test
    void doesNotHashATupleOfTuplesThatAreShared() {
        // Given 2^60 tuples, if each is counted as often as it is met
        Tuple tuple = Tuple.of();
        for (int i = 0; i < 60; i++) {
            tuple = Tuple.of(tuple, tuple);
        }

        // When / Then
        assertThat(TorchTypes.ofDtype(tuple)).isEmpty();
        assertThat(TorchTypes.ofStorage(tuple)).isEmpty();
    }

    @Test
    void refusesObjectsThatShareADictOfManyAttributes() {
        // Given storage places whose only state is one dict, which each of them would search
        Dict shared = new Dict();
        for (int i = 0; i < 1000; i++) {
            shared.put("attribute" + i, new Int(i));
        }
        var index = new Global("torch.distributed.checkpoint.metadata", "MetadataIndex")
                .create()
                .withState(shared);
        Dict storage = new Dict().put(index, index);

        // When / Then
        assertThatThrownBy(() -> read(new Dict(), storage))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(".metadata")
                .hasMessageContaining("with 1000 attributes; at most 64");
    }

    @Test
    void setsATensorAsideThatListsOneChunkTwice() {
        // Given a chunk that a list, which tensors could share, repeats
        TensorChunk chunk = new TensorChunk(List.of(0L), List.of(2L), PLACE);
        ShardedTensor tensor = new ShardedTensor("w", DType.F32, List.of(4L), Collections.nCopies(3, chunk));

        // When
        byte[] pickle = PickleBytes.metadata(
                new DistributedMetadata(new TreeMap<>(Map.of("w", tensor)), new TreeMap<>(), new TreeMap<>()));
        DistributedMetadata metadata = DistributedMetadata.read(ByteBuffer.wrap(pickle));

        // Then
        assertThat(metadata.tensors()).isEmpty();
        assertThat(metadata.unreadable().get("w")).contains("[0]", "or lists it twice");
    }

    @Test
    void refusesMetadataThatListsAKeyTwice() {
        var bytes = new Global("torch.distributed.checkpoint.metadata", "BytesStorageMetadata").create();
        assertThatThrownBy(() -> read(new Dict().put("k", bytes).put("k", bytes), new Dict()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(".metadata lists k twice");
    }

    @Test
    void findsPlacesWhoseKeysShareAHash() {
        // Given 2^14 keys of Aa and BB, which Java hashes alike
        int count = 1 << 14;
        ByteBuffer pickle = pickle(out -> object(out, "Metadata", () -> {
            text(out, "storage_data");
            group(out, '}', 'u', () -> {
                for (int i = 0; i < count; i++) {
                    place(
                            out,
                            Integer.toBinaryString(count + i).replace("0", "Aa").replace("1", "BB"));
                }
            });
            text(out, "state_dict_metadata");
            out.write('}');
        }));

        // When / Then the time does not grow with the square of their number
        assertThat(DistributedMetadata.read(pickle).tensors()).isEmpty();
    }

    @Test
    void refusesACommonStateThatRepeatsATextWithoutBound() {
        // Given a pickle of one megabyte whose description would have ten
        Text text = new Text("x".repeat(1 << 20));
        var object =
                new Global("some", "Class").create(Collections.nCopies(10, text).toArray(PickleValue[]::new));

        // When / Then
        assertThatThrownBy(() -> CommonState.of(new Dict().put("a", object), "common.pt"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("common.pt")
                .hasMessageContaining("4194304 characters");
    }

    @Test
    void describesALongObjectInShort() {
        var object = new Global("some", "Class").create(new Text("x".repeat(2000)));
        assertThat(CommonState.of(new Dict().put("a", object), "common.pt").get("a"))
                .asString()
                .startsWith("some.Class[xxx")
                .hasSize(1003)
                .endsWith("...");
    }

    private static DistributedMetadata read(Dict states, Dict storage) {
        PickleValue metadata = new Global("torch.distributed.checkpoint.metadata", "Metadata")
                .create()
                .withState(new Dict().put("state_dict_metadata", states).put("storage_data", storage));
        return DistributedMetadata.read(ByteBuffer.wrap(PickleWriter.write(metadata)));
    }

    private interface Part {
        void write(ByteArrayOutputStream out);
    }

    private static ByteBuffer pickle(Part part) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x80, 4});
        part.write(out);
        out.write('.');
        return ByteBuffer.wrap(out.toByteArray());
    }

    private static void place(ByteArrayOutputStream out, String key) {
        object(out, "MetadataIndex", () -> {
            text(out, "fqn");
            text(out, key);
        });
        object(out, "_StorageInfo", () -> {
            text(out, "relative_path");
            text(out, "a");
            for (String number : List.of("offset", "length")) {
                text(out, number);
                out.writeBytes(new byte[] {'K', 1});
            }
        });
    }

    private static void object(ByteArrayOutputStream out, String name, Runnable attributes) {
        out.writeBytes(("ctorch\n" + name + "\n)").getBytes(StandardCharsets.US_ASCII));
        out.write(0x81);
        group(out, '}', 'u', attributes);
        out.write('b');
    }

    private static void group(ByteArrayOutputStream out, char begin, char end, Runnable items) {
        out.write(begin);
        out.write('(');
        items.run();
        out.write(end);
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write('X');
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(bytes.length)
                .array());
        out.writeBytes(bytes);
    }
}
