package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Archives of {@code torch.save} that describe more than they hold. */
class HostileArchiveTest {
    private static final int STORAGE_ELEMENTS = 16;

    @Test
    void refusesAZipBombWithoutExpandingIt() throws IOException {
        // Given a hundred megabytes of zeros in a hundred kilobytes
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bomb)) {
            zip.putNextEntry(new ZipEntry("archive/data.pkl"));
            for (int i = 0; i < 100; i++) {
                zip.write(new byte[1_000_000]);
            }
            zip.closeEntry();
        }
        assertThat(bomb.size()).isLessThan(200_000);

        // When / Then
        assertThatThrownBy(() -> TorchArchive.open(ByteRange.of(ByteBuffer.wrap(bomb.toByteArray())), "an item"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("an item has the compressed entry archive/data.pkl");
    }

    @ParameterizedTest
    @CsvSource({"zip64 record, -50", "zip64 locator, -34", "size in the end record, -10", "directory size in zip64, -58"
    })
    void refusesAnArchiveWhoseDirectoryOtherReadersSeekElsewhere(String field, int fromEnd) throws IOException {
        // Given a sound archive in which one of the fields that lead to its directory is changed
        ByteBuffer archive = archive(0, List.of(8L), List.of(1L));
        int at = archive.limit() + fromEnd;
        archive.put(at, (byte) (archive.get(at) ^ 1));

        // When / Then
        assertThatThrownBy(() -> TorchArchive.open(ByteRange.of(archive), "an item"))
                .as(field)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("an item has a directory of");
    }

    @Test
    void readsATransposedTensor() throws IOException {
        // Given 0 to 15 as bytes of a storage, and a view of two rows that steps through its columns
        TorchTensor tensor = TorchTensor.read(ByteRange.of(archive(0, List.of(2L, 3L), List.of(1L, 2L))), "an item");

        // Then
        byte[] elements = new byte[6];
        tensor.data().slice(0, 6).get(elements);
        assertThat(elements).containsExactly(0, 2, 4, 1, 3, 5);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 2000000000, 0, repeats the 16 bytes",
        "0, 17, 0, repeats the 16 bytes",
        "9, 8, 1, outside its storage"
    })
    void refusesAViewOfMoreThanTheStorageHolds(long offset, long length, long stride, String reason)
            throws IOException {
        ByteBuffer archive = archive(offset, List.of(length), List.of(stride));
        assertThatThrownBy(() -> TorchTensor.read(ByteRange.of(archive), "an item"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("an item")
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource({"9", "-1", "9223372036854775807"})
    void findsNoPlaceForATensorOutsideItsStorage(long offset) throws IOException {
        ByteBuffer archive = archive(offset, List.of(8L), List.of(1L));
        assertThatThrownBy(() -> TorchTensor.storageBegin(ByteRange.of(archive), "an item"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("an item")
                .hasMessageContaining("outside its storage of 16 elements");
    }

    @Test
    void namesTheItemWhosePickleIsRefused() throws IOException {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        TorchArchiveWriter.write(Channels.newChannel(archive), "archive", new byte[] {(byte) 0x80, 2, '['});
        assertThatThrownBy(() -> TorchTensor.read(ByteRange.of(ByteBuffer.wrap(archive.toByteArray())), "an item"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("an item data.pkl, before byte 3: the pickle uses instruction 0x5b");
    }

    private static ByteBuffer archive(long offset, List<Long> shape, List<Long> stride) throws IOException {
        PickleValue storage = Tuple.of(
                new Text("storage"),
                new Global("torch", "ByteStorage"),
                new Text("0"),
                new Text("cpu"),
                new Int(STORAGE_ELEMENTS));
        PickleValue tensor = new Global("torch._utils", "_rebuild_tensor_v2")
                .call(new PersistentId(storage), new Int(offset), Tuple.of(shape), Tuple.of(stride));
        ByteBuffer content = ByteBuffer.allocate(STORAGE_ELEMENTS);
        for (byte i = 0; i < STORAGE_ELEMENTS; i++) {
            content.put(i, i);
        }
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        TorchArchiveWriter.write(
                Channels.newChannel(archive),
                PickleWriter.write(tensor),
                out -> DurableFiles.writeFully(out, content.duplicate()));
        return ByteBuffer.wrap(archive.toByteArray());
    }
}
