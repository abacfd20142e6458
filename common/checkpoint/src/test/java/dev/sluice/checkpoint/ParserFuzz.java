package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.sluice.checkpoint.pickle.PickleReader;
import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.io.TempDir;

/** Readers of bytes from elsewhere. {@link ParserCorpusTest} replays what was found; the module's README says how to search again. */
class ParserFuzz {
    static final String DURATION = "10m";

    /** A description of 500 bytes may call for 100,000 tensors. */
    private static final long PLAN_BYTES = 512L << 20;

    private static final byte[] EMPTY_SAFETENSORS = {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'};

    @TempDir
    Path folder;

    @FuzzTest(maxDuration = DURATION)
    void safetensors(byte[] bytes) {
        Path path = ForeignBytes.file(folder, "a.safetensors", bytes);
        ForeignBytes.check(bytes.length, path.toString(), () -> {
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                long dataBytes = 0;
                for (TensorEntry tensor : file.tensors().values()) {
                    assertThat(file.data(tensor.name()).remaining()).isEqualTo((int) tensor.bytes());
                    dataBytes += tensor.bytes();
                }
                assertReadsAgain(file, bytes, (int) dataBytes);
            }
        });
    }

    /** A header that we write for the same tensors, in front of the same data. */
    private void assertReadsAgain(SafetensorsFile file, byte[] bytes, int dataBytes) {
        List<TensorEntry> tensors = file.tensors().values().stream()
                .sorted(Comparator.comparingLong(TensorEntry::begin))
                .toList();
        byte[] header = SafetensorsHeader.encode(tensors, file.metadata());
        ByteBuffer again = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        again.putLong(header.length).put(header).put(bytes, bytes.length - dataBytes, dataBytes);
        try (SafetensorsFile copy = SafetensorsFile.open(ForeignBytes.file(folder, "b.safetensors", again.array()))) {
            assertThat(copy.tensors()).isEqualTo(file.tensors());
            assertThat(copy.metadata()).isEqualTo(file.metadata());
        }
    }

    @FuzzTest(maxDuration = DURATION)
    void shardIndex(byte[] bytes) {
        Path path = ForeignBytes.file(folder, ShardIndex.FILE, bytes);
        ForeignBytes.check(bytes.length, path.toString(), () -> {
            ShardIndex index = ShardIndex.read(folder).orElseThrow();
            index.fileOfTensor()
                    .values()
                    .forEach(name -> assertThat(folder.resolve(name).normalize().getParent())
                            .isEqualTo(folder));
        });
    }

    /** A model description, beside a file without tensors. Its problems are listed, so nothing may be thrown. */
    @FuzzTest(maxDuration = DURATION)
    void config(byte[] bytes) {
        ForeignBytes.file(folder, ShardIndex.SINGLE_SHARD, EMPTY_SAFETENSORS);
        ForeignBytes.file(folder, "config.json", bytes);
        ForeignBytes.check(
                PLAN_BYTES,
                "a problem",
                () -> assertThat(HuggingFaceCheckpoint.problems(folder)).isNotEmpty());
    }

    @FuzzTest(maxDuration = DURATION)
    void pickle(byte[] bytes) {
        ForeignBytes.check(bytes.length, "a pickle", () -> {
            PickleValue value = PickleReader.read(ByteBuffer.wrap(bytes), "a pickle");
            if (PlainPickle.canBeWritten(value)) {
                byte[] once = PickleWriter.write(value);
                byte[] twice = PickleWriter.write(PickleReader.read(ByteBuffer.wrap(once), "our pickle"));
                assertThat(twice).isEqualTo(once);
            }
        });
    }

    @FuzzTest(maxDuration = DURATION)
    void metadata(byte[] bytes) {
        ForeignBytes.check(bytes.length, ".metadata", () -> {
            DistributedMetadata metadata = DistributedMetadata.read(ByteBuffer.wrap(bytes));
            byte[] written = PickleBytes.metadata(metadata);
            assertThat(DistributedMetadata.read(ByteBuffer.wrap(written)))
                    .isEqualTo(new DistributedMetadata(metadata.tensors(), metadata.byteItems(), new TreeMap<>()));
        });
    }

    @FuzzTest(maxDuration = DURATION)
    void archive(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        ForeignBytes.check(bytes.length, "an archive", () -> {
            TorchArchive archive = TorchArchive.open(ByteRange.of(buffer), "an archive");
            CommonState.of(archive.pickle(), "an archive");
            archive.storage("0");
        });
        ForeignBytes.check(bytes.length, "an archive", () -> assertStoredAsRead(buffer));
        ForeignBytes.check(bytes.length, "an archive", () -> assertAgreesWithJava(bytes));
    }

    /** The platform's own reader sees the same content, if it accepts the archive. */
    private void assertAgreesWithJava(byte[] bytes) throws IOException {
        ByteRange storage = TorchArchive.open(ByteRange.of(ByteBuffer.wrap(bytes)), "an archive")
                .storage("0");
        byte[] ours = new byte[(int) storage.bytes()];
        storage.slice(0, ours.length).get(ours);
        try (ZipFile zip = new ZipFile(ForeignBytes.file(folder, "a.zip", bytes).toFile())) {
            ZipEntry entry = zip.getEntry("archive/data/0");
            if (entry != null && entry.getSize() == ours.length) {
                assertThat(zip.getInputStream(entry).readAllBytes()).isEqualTo(ours);
            }
        } catch (ZipException | EOFException e) {
            // It is stricter on what torch does not look at.
        }
    }

    /** The bytes are the pickle inside a sound archive: no mutation would get past its checksum. */
    @FuzzTest(maxDuration = DURATION)
    void tensor(byte[] bytes) throws IOException {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        TorchArchiveWriter.write(
                Channels.newChannel(archive), bytes, out -> DurableFiles.writeFully(out, ByteBuffer.allocate(64)));
        ByteBuffer buffer = ByteBuffer.wrap(archive.toByteArray());
        ForeignBytes.check(buffer.limit(), "an archive", () -> assertStoredAsRead(buffer));
        ForeignBytes.check(
                buffer.limit(),
                "an archive",
                () -> CommonState.of(
                        TorchArchive.open(ByteRange.of(buffer), "an archive").pickle(), "an archive"));
    }

    private static void assertStoredAsRead(ByteBuffer archive) {
        TorchTensor tensor = TorchTensor.read(ByteRange.of(archive), "an archive");
        long bytes = tensor.data().bytes();
        assertThat(bytes).isEqualTo(Shape.bytes(tensor.dtype(), tensor.shape()));
        int begin = Math.toIntExact(TorchTensor.storageBegin(ByteRange.of(archive), "an archive"));
        assertThat(archive.slice(begin, (int) bytes)).isEqualTo(tensor.data().slice(0, bytes));
    }

    @FuzzTest(maxDuration = DURATION)
    void manifest(byte[] bytes) {
        Path path = ForeignBytes.file(folder, Manifest.FILE, bytes);
        ForeignBytes.check(bytes.length, path.toString(), () -> {
            ManifestContent content = ManifestContent.read(path);
            Path again = ForeignBytes.file(folder, "again.json", content.encode());
            assertThat(ManifestContent.read(again)).isEqualTo(content);
        });
    }

    /** Whatever a crash leaves, the sound lines count and the others say nothing. */
    @FuzzTest(maxDuration = DURATION)
    void journal(byte[] bytes) {
        Path path = ForeignBytes.file(folder, "journal", bytes);
        ForeignBytes.check(bytes.length, "a refusal", () -> {
            Journal.bytes(path);
            Journal.open(path).close();
        });
    }
}
