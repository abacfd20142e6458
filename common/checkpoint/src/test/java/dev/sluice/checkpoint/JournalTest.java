package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.dynatrace.hash4j.hashing.Hashing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JournalTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a 0 10", "a 0 ten ff", "a 0 10 rest", "a 0 10 ff tensor", "a  0 10 ff"})
    void aSignedLineOfAnotherFormSaysNothing(String line) throws IOException {
        // Given the line, closed by its hash, between two sound ones
        String journal = signed("b 0 5 1") + signed(line) + signed("b 5 7 1 2 3");
        Path file = Files.writeString(folder.resolve("journal"), journal, StandardCharsets.ISO_8859_1);

        // When / Then
        assertThat(Journal.bytes(file)).isEqualTo(7);
    }

    private static String signed(String line) {
        byte[] bytes = line.getBytes(StandardCharsets.ISO_8859_1);
        return line + " " + Long.toHexString(Hashing.xxh3_64().hashBytesToLong(bytes)) + "\n";
    }
}
