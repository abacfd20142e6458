package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchSaveTest {
    private static final String OUR_ID = "0".repeat(40);

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void writesTensorsByteForByteAsTorchButForTheRandomId(String genuine) throws IOException {
        Path directory = Fixtures.file(genuine).resolve("release");
        DistributedMetadata metadata = metadata(directory);
        for (ShardedTensor tensor : metadata.tensors().values()) {
            for (TensorChunk chunk : tensor.chunks()) {
                // Given an archive of torch.save
                ByteBuffer archive = item(directory, chunk.stored());
                TorchTensor stored = TorchTensor.read(ByteRange.of(archive), tensor.key());

                // When
                ByteArrayOutputStream ours = new ByteArrayOutputStream();
                TorchArchiveWriter.write(
                        Channels.newChannel(ours),
                        PickleBytes.tensor(stored.dtype(), stored.shape()),
                        out -> stored.data().writeTo(out, 0, stored.data().bytes()));

                // Then
                byte[] theirs = new byte[archive.remaining()];
                archive.get(theirs);
                assertThat(ours.toByteArray()).as(tensor.key()).isEqualTo(withOurId(theirs));
            }
        }
    }

    @Test
    void writesAPickleInstructionForInstructionAsPython() throws IOException {
        // Given the common state that Megatron 0.20 pickled with protocol 2
        Path directory = Fixtures.TORCH_DIST_020.resolve("release");
        ByteBuffer archive = item(directory, metadata(directory).byteItems().get(TorchDistDirectory.COMMON_KEY));
        PickleValue value =
                TorchArchive.open(ByteRange.of(archive), "common state").pickle();

        // When
        ByteArrayOutputStream ours = new ByteArrayOutputStream();
        TorchArchiveWriter.write(Channels.newChannel(ours), "archive", PickleWriter.write(value));

        // Then
        byte[] theirs = new byte[archive.remaining()];
        archive.get(theirs);
        assertThat(ours.toByteArray()).isEqualTo(withOurId(theirs));
    }

    private static DistributedMetadata metadata(Path directory) {
        try (MappedFile file = MappedFile.open(directory.resolve(".metadata"))) {
            return DistributedMetadata.read(file.slice(0, file.bytes()));
        }
    }

    private static ByteBuffer item(Path directory, StoredItem stored) {
        try (MappedFile file = MappedFile.open(directory.resolve(stored.file()))) {
            return file.slice(stored.offset(), stored.length());
        }
    }

    /** Replaces the serialization id, which torch derives from hashes and nobody checks, and its checksum in two places. */
    private static byte[] withOurId(byte[] archive) {
        ByteBuffer bytes = ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN);
        String text = new String(archive, StandardCharsets.ISO_8859_1);
        int descriptor = text.indexOf("PK\u0007\u0008", text.indexOf(".data/serialization_id"));
        bytes.put(descriptor - 40, OUR_ID.getBytes(StandardCharsets.US_ASCII));
        CRC32 crc = new CRC32();
        crc.update(archive, descriptor - 40, 40);
        bytes.putInt(descriptor + 4, (int) crc.getValue());
        bytes.putInt(text.lastIndexOf("PK\u0001\u0002") + 16, (int) crc.getValue());
        return archive;
    }
}
