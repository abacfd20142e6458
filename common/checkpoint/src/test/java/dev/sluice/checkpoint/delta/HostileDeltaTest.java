package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every refusal names file, tensor where there is one, and reason; the base stays, and no target appears. */
class HostileDeltaTest {
    private static final int TENSOR_BYTES = 300_000;
    private static final String FILE = "model-00000-of-00001.safetensors";
    private static final String INDEX = """
            {"metadata": {"version": "000001", "base_version": "000000", "delta_encoding": "%s", \
            "compression_format": "zstd", "checksum_format": "adler32"}, "weight_map": {"w": "%s"}}""";

    @TempDir
    Path folder;

    private Path base;
    private Path version;

    @BeforeEach
    void writeBase() throws IOException {
        base = RandomModels.write(
                folder.resolve("base"),
                List.of(TensorSource.of(
                        "w", DType.U8, List.of((long) TENSOR_BYTES), ByteBuffer.allocate(TENSOR_BYTES))));
        version = Files.createDirectory(folder.resolve("weight_v000001"));
        index(INDEX.formatted("xor", FILE));
    }

    @Test
    void aFrameThatExpandsBeyondTheTensorIsRefusedWithoutExpandingIt() throws IOException {
        // Given frames of 100 MB in a few KB, one that says so and one that does not
        byte[] zeros = new byte[100_000_000];

        store(Zstd.compress(zeros, 1));
        assertRefused("its zstd frame expands to 100000000 bytes, but xor of a tensor of 300000 bytes has 300000");

        store(withoutContentSize(zeros));
        assertRefused("its zstd frame expands beyond its payload");
    }

    @Test
    void aFrameThatIsTooShortIsRefused() throws IOException {
        store(withoutContentSize(new byte[TENSOR_BYTES - 7]));
        assertRefused("its zstd frame ends 7 bytes short of what its payload needs");

        store(Zstd.compress(new byte[TENSOR_BYTES - 7], 1));
        assertRefused("its zstd frame expands to 299993 bytes, but xor of a tensor of 300000 bytes has 300000");
    }

    @Test
    void aFrameThatIsCutOffCorruptOrFollowedByOthersIsRefused() throws IOException {
        byte[] noise = new byte[TENSOR_BYTES];
        new java.util.Random(5).nextBytes(noise);
        byte[] frame = Zstd.compress(noise, 1);

        store(Arrays.copyOf(frame, frame.length / 2));
        assertRefused("bytes short of what its payload needs");

        store(Arrays.copyOf(frame, frame.length + 3));
        assertRefused("3 bytes follow its zstd frame");

        byte[] corrupt = Zstd.compress(new byte[TENSOR_BYTES], 1);
        // The first block header stands after nine bytes; both bits of its type set mean a reserved one.
        corrupt[9] |= 6;
        store(corrupt);
        assertRefused("its zstd frame is corrupt near byte");
    }

    @Test
    void aFrameWhoseLastBlockIsMissingIsRefused() throws IOException {
        // Given a frame without content size whose whole payload arrives, but not its end
        byte[] frame = withoutContentSizeFlushed(new byte[TENSOR_BYTES]);
        store(Arrays.copyOf(frame, frame.length - 3));
        assertRefused("its zstd frame is cut off after");
    }

    @Test
    void whatIsNoZstdFrameIsRefused() throws IOException {
        store(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
        assertRefused("its 8 bytes are not a zstd frame");

        store(new byte[0]);
        assertRefused("its 0 bytes are not a zstd frame");
    }

    @Test
    void aFrameThatAsksForADictionaryIsRefused() throws IOException {
        store(header(0x01, 0, 0, 0, 0));
        assertRefused("its zstd frame needs a dictionary or a later format (descriptor 0x01)");
    }

    @Test
    void aFrameHeaderThatEndsEarlyIsRefused() throws IOException {
        store(header(0xc0, 0, 1, 2, 3));
        assertRefused("its zstd frame ends within its header");
    }

    @Test
    void aFrameThatAsksForMuchMemoryIsRefused() throws IOException {
        // Given the window descriptor 0xa0 of RFC 8878: exponent 20, 2^30 bytes
        store(header(0x00, 0xa0, 0, 0, 0));
        assertRefused("its zstd frame asks for a window of 1073741824 bytes; at most 8388608 are given");

        // and a single segment of 2^64 - 1 bytes
        store(header(0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
        assertRefused("its zstd frame asks for a window of 18446744073709551615 bytes");
    }

    @Test
    void overwritePositionsOutsideTheTensorAreRefused() throws IOException {
        index(INDEX.formatted("overwrite", FILE));

        overwrite(2, new int[] {5, TENSOR_BYTES}, 2);
        assertRefused("position 300000 lies outside its 300000 bytes");

        overwrite(1, new int[] {-1}, 1);
        assertRefused("position 4294967295 lies outside its 300000 bytes");
    }

    @Test
    void overwritePositionsThatDoNotAscendAreRefused() throws IOException {
        index(INDEX.formatted("overwrite", FILE));

        overwrite(2, new int[] {5, 5}, 2);
        assertRefused("position 5 follows 5; they must ascend");

        overwrite(2, new int[] {0, 7, 6}, 3);
        assertRefused("2 changed bytes need a payload of 14 bytes, but its zstd frame has 19");
    }

    @Test
    void overwriteCountsThatDoNotFitAreRefused() throws IOException {
        index(INDEX.formatted("overwrite", FILE));

        overwrite(-1, new int[] {1}, 1);
        assertRefused("it counts 4294967295 changed bytes in a tensor of 300000");

        overwrite(3, new int[] {1, 2, 3}, 2);
        assertRefused("3 changed bytes need a payload of 19 bytes, but its zstd frame has 18");

        store(Zstd.compress(new byte[] {1, 0, 0}, 1));
        assertRefused(
                "its zstd frame expands to 3 bytes, but overwrite of a tensor of 300000 bytes has at most 1500004");

        store(withoutContentSize(payload(3, new int[] {1, 2, 3}, 2)));
        assertRefused("its zstd frame ends 1 bytes short of what its payload needs");
    }

    @Test
    void aWrongChecksumIsRefused() throws IOException {
        // Given a sound frame that changes one byte; 300,000 zeros have the Adler-32 0x941c0001 before that
        byte[] difference = new byte[TENSOR_BYTES];
        difference[17] = 1;
        store(Zstd.compress(difference, 1), DType.U8, Map.of("w", "941c0001"));

        assertThatThrownBy(() -> chain().apply(base, folder.resolve("target"), 1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("1 of 1 tensors have another adler32 than")
                .hasMessageContaining("not 941c0001");
        assertThat(folder.resolve("target")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "941C0001", "941c000", "941c00010", "941c000g"})
    void aChecksumThatIsNoneIsRefused(String checksum) throws IOException {
        store(Zstd.compress(new byte[TENSOR_BYTES], 1), DType.U8, Map.of("w", checksum));
        assertRefused("its checksum \"%s\" is not one of adler32".formatted(checksum));
    }

    @Test
    void aDeltaThatIsNotBytesIsRefused() throws IOException {
        store(Zstd.compress(new byte[TENSOR_BYTES], 1), DType.I8, Map.of("w", "941c0001"));
        assertRefused("a compressed delta is U8 of one axis, not I8");
    }

    @Test
    void aTensorThatTheBaseLacksIsRefused() throws IOException {
        index(INDEX.formatted("xor", FILE).replace("\"w\":", "\"v\":"));
        SafetensorsWriter.write(version.resolve(FILE), List.of(u8("v", new byte[9])), Map.of("v", "941c0001"));
        assertThatThrownBy(() -> chain().apply(base, folder.resolve("target"), 1))
                .hasMessageContaining(FILE + ": tensor v:")
                .hasMessageContaining("has no such tensor");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "delta_encoding": "xor"       | "delta_encoding": "add"         | unknown delta_encoding "add"; known: overwrite, xor
            "compression_format": "zstd"  | "compression_format": "lz4"     | unknown compression_format "lz4"; known: zstd
            "checksum_format": "adler32"  | "checksum_format": "md5"        | unknown checksum_format "md5"; known: adler32, blake3, xxh3-128
            "checksum_format": "adler32"  | "checksum_format": 4            | has no text "checksum_format" in its metadata
            "version": "000001"           | "version": "-1"                 | version is "-1", not a number
            "version": "000001"           | "version": "000002"             | takes version 000000 to 000002, but version 000000 to 000001 is needed
            "base_version": "000000"      | "base_version": "000003"        | takes version 000003 to 000001
            "base_version": "000000"      | "base_version": "9999999999999999999" | not a number of 1 to 18 digits
            "model-00000-of-00001.safetensors" | "../base/model.safetensors" | which is not a safetensors file beside the index
            "model-00000-of-00001.safetensors" | "config.json"              | which is not a safetensors file beside the index
            "model-00000-of-00001.safetensors" | "other.safetensors"        | names other.safetensors, which is not a file there
            {"w": "model-00000-of-00001.safetensors"} | 7                   | has no weight_map
            "model-00000-of-00001.safetensors"} | "model-00000-of-00001.safetensors", "v": "model-00000-of-00001.safetensors"} | promises tensor v
            {"w": "model-00000-of-00001.safetensors"} | {}                  | does not list model-00000-of-00001.safetensors
            {"w": "model                  | {"v": "model                    | does not put tensor w into model-00000-of-00001.safetensors, which holds it
            """)
    void anIndexThatIsWrongIsRefused(String sound, String wrong, String reason) throws IOException {
        // Given
        store(Zstd.compress(new byte[TENSOR_BYTES], 1));
        String text = INDEX.formatted("xor", FILE);
        assertThat(text).contains(sound);
        index(text.replace(sound, wrong));

        // Then
        assertThatThrownBy(() -> chain().apply(base, folder.resolve("target"), 1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(version.toString())
                .hasMessageContaining(reason);
        assertThat(folder.resolve("target")).doesNotExist();
    }

    @Test
    void aLinkOutOfTheDirectoryIsNotFollowed() throws IOException {
        Files.createSymbolicLink(version.resolve(FILE), base.resolve("model.safetensors"));
        assertThatThrownBy(() -> DeltaCheckpoint.open(version))
                .hasMessageContaining("names %s, which is not a file there".formatted(FILE));

        Files.delete(version.resolve(DeltaIndex.FILE));
        assertThatThrownBy(() -> DeltaCheckpoint.open(version)).hasMessageContaining("the delta was not finished");
    }

    private DeltaChain chain() {
        return DeltaChain.between(folder, new WeightVersion(0), new WeightVersion(1));
    }

    private void assertRefused(String reason) {
        assertThatThrownBy(() -> chain().apply(base, folder.resolve("target"), 1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(version.resolve(FILE) + ": tensor w: ")
                .hasMessageContaining(reason);
        assertThat(folder.resolve("target")).doesNotExist();
    }

    private void index(String text) throws IOException {
        Files.writeString(version.resolve(DeltaIndex.FILE), text);
    }

    private void store(byte[] frame) {
        store(frame, DType.U8, Map.of("w", "941c0001"));
    }

    private void store(byte[] frame, DType dtype, Map<String, String> checksums) {
        TensorSource tensor = TensorSource.of("w", dtype, List.of((long) frame.length), ByteBuffer.wrap(frame));
        SafetensorsWriter.write(version.resolve(FILE), List.of(tensor), checksums);
    }

    private static TensorSource u8(String name, byte[] bytes) {
        return TensorSource.of(name, DType.U8, List.of((long) bytes.length), ByteBuffer.wrap(bytes));
    }

    private void overwrite(int count, int[] positions, int values) {
        store(Zstd.compress(payload(count, positions, values), 1));
    }

    private static byte[] payload(int count, int[] positions, int values) {
        ByteBuffer payload =
                ByteBuffer.allocate(4 + 4 * positions.length + values).order(ByteOrder.LITTLE_ENDIAN);
        payload.putInt(count);
        for (int position : positions) {
            payload.putInt(position);
        }
        return payload.array();
    }

    /** Magic number, frame header descriptor and what follows. */
    private static byte[] header(int... bytes) {
        ByteBuffer frame = ByteBuffer.allocate(4 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(0xFD2FB528);
        for (int b : bytes) {
            frame.put((byte) b);
        }
        return frame.array();
    }

    private static byte[] withoutContentSize(byte[] payload) {
        try (ZstdCompressCtx context = new ZstdCompressCtx().setLevel(1).setContentSize(false)) {
            return context.compress(payload);
        }
    }

    /** The last block is an empty one of three bytes. */
    private static byte[] withoutContentSizeFlushed(byte[] payload) throws IOException {
        var bytes = new java.io.ByteArrayOutputStream();
        try (var out = new com.github.luben.zstd.ZstdOutputStream(bytes, 1)) {
            out.write(payload);
            out.flush();
        }
        return bytes.toByteArray();
    }
}
