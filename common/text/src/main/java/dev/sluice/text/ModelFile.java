package dev.sluice.text;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** One JSON file of a Hugging Face model directory, read whole and never beyond its bound. */
record ModelFile(Path path, byte[] bytes) {

    static boolean exists(Path modelDir, String name) {
        return Files.isRegularFile(modelDir.resolve(name));
    }

    static ModelFile read(Path modelDir, String name, int maximumBytes, String mend) throws IOException {
        if (!Files.isDirectory(modelDir)) {
            throw new IOException("There is no model directory " + modelDir + "; give the folder that holds " + name
                    + " and config.json.");
        }
        Path path = modelDir.resolve(name);
        if (!Files.isRegularFile(path)) {
            throw new IOException("The model directory " + modelDir + " has no " + name + "; " + mend);
        }
        try (InputStream in = Files.newInputStream(path)) {
            // Read one byte past the bound instead of trusting the length: the file may grow meanwhile.
            byte[] bytes = in.readNBytes(maximumBytes + 1);
            if (bytes.length > maximumBytes) {
                throw new IOException(path + " is larger than " + maximumBytes + " bytes, the most that is read of a "
                        + name + "; check that it is the file of this model.");
            }
            return new ModelFile(path, bytes);
        }
    }

    InputStream stream() {
        return new ByteArrayInputStream(bytes);
    }

    IOException malformed(String what, Exception cause) {
        return new IOException(path + " " + what + "; fetch the file again from the model's page.", cause);
    }
}
