package dev.sluice.cli.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Files of {@code src/test/resources/doctor}; its README says where each is from. */
final class Recordings {
    private Recordings() {}

    static String read(String name) {
        try (InputStream stream = Recordings.class.getResourceAsStream("/doctor/" + name)) {
            if (stream == null) {
                throw new AssertionError("no recording " + name);
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
