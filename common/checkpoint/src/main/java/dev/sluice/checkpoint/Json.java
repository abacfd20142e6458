package dev.sluice.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.CharArrayReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Strict JSON: duplicate keys and trailing text are errors, since two readers could otherwise see two checkpoints. */
public final class Json {
    public static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** An index of a model with 100,000 tensors has about 10 MB. */
    private static final long MAX_FILE_BYTES = 64L << 20;

    private Json() {}

    static JsonNode object(byte[] text, String what) {
        try {
            // Jackson would guess UTF-16 and UTF-32, which no other reader of these formats takes.
            CharBuffer characters = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
            JsonNode node = MAPPER.readTree(new CharArrayReader(
                    characters.array(), characters.arrayOffset() + characters.position(), characters.remaining()));
            if (!node.isObject()) {
                throw new CheckpointException(what + " is not a JSON object");
            }
            return node;
        } catch (CharacterCodingException e) {
            throw new CheckpointException(what + " is not valid JSON: it is not UTF-8", e);
        } catch (IOException e) {
            String reason = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw new CheckpointException(what + " is not valid JSON: " + reason, e);
        }
    }

    public static JsonNode file(Path file) {
        try {
            long bytes = Files.size(file);
            if (bytes > MAX_FILE_BYTES) {
                throw new CheckpointException(
                        "%s has %d bytes; at most %d are read".formatted(file, bytes, MAX_FILE_BYTES));
            }
            return object(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e, e);
        }
    }

    static byte[] pretty(JsonNode node) {
        try {
            return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree is always writable", e);
        }
    }
}
