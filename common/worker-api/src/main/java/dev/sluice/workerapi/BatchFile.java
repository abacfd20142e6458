package dev.sluice.workerapi;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.http.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A batch as one safetensors file: a tensor for each column, and the header in the metadata. The same batch always gives the
 * same bytes.
 */
public final class BatchFile {
    private static final String CONTENT = "contentSha256";

    private BatchFile() {}

    /**
     * Writes a batch.
     *
     * @param file absent or replaced; complete once this returns
     * @return the file's SHA-256, hexadecimal
     */
    public static String write(Path file, Batch batch) {
        long tokens = batch.tokens().length;
        long samples = batch.samples();
        List<TensorSource> tensors = new ArrayList<>(List.of(
                Columns.of("tokens", batch.tokens(), tokens),
                Columns.of("cu_seqlens", batch.cuSeqlens(), samples + 1),
                Columns.of("prompt_lengths", batch.promptLengths(), samples),
                Columns.of("sample_id", batch.sampleIds()),
                Columns.of("group", batch.groups(), samples),
                Columns.of("loss_denominator", batch.lossDenominators()),
                Columns.of("truncated", batch.truncated()),
                Columns.of("loss_mask", batch.lossMask()),
                Columns.of("advantages", batch.advantages()),
                Columns.of("rollout_logprobs", batch.rolloutLogprobs()),
                Columns.of("weight_version", batch.weightVersions(), tokens),
                Columns.of("schedule", batch.schedule(), samples, 3)));
        batch.optional().forEach((column, values) -> tensors.add(Columns.of(column.tensorName(), values)));
        SafetensorsWriter.write(file, tensors, metadata(batch.header()));
        return sha256(file);
    }

    /**
     * Reads and checks a batch.
     *
     * @throws WorkerException with the code BAD_BATCH if it is missing, damaged, of another version or contradicts itself
     */
    public static Batch read(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Columns columns = new Columns(file);
            Batch.Header header = header(file.metadata());
            EnumMap<Batch.Column, float[]> optional = new EnumMap<>(Batch.Column.class);
            for (Batch.Column column : Batch.Column.values()) {
                if (file.tensors().containsKey(column.tensorName())) {
                    optional.put(column, columns.floats(column.tensorName()));
                }
            }
            return new Batch(
                    header,
                    columns.integers("tokens"),
                    columns.integers("cu_seqlens"),
                    columns.integers("prompt_lengths"),
                    columns.longs("sample_id"),
                    columns.integers("group"),
                    columns.floats("loss_denominator"),
                    columns.bytes("truncated"),
                    columns.bytes("loss_mask"),
                    columns.floats("advantages"),
                    columns.floats("rollout_logprobs"),
                    columns.integers("weight_version"),
                    columns.integers("schedule"),
                    optional);
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new WorkerException(
                    WorkerError.of(WorkerErrorCode.BAD_BATCH, path + ": " + e.getMessage(), "form the batch again"), e);
        }
    }

    /** SHA-256 of a file, hexadecimal. */
    public static String sha256(Path file) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new WorkerException(
                    WorkerError.of(WorkerErrorCode.BAD_BATCH, "cannot read " + file + ": " + e, "see that it exists"),
                    e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static Map<String, String> metadata(Batch.Header header) {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("formatVersion", Integer.toString(Batch.FORMAT_VERSION));
        metadata.put("runId", header.runId());
        metadata.put("step", Integer.toString(header.step()));
        metadata.put("epoch", Integer.toString(header.epoch()));
        metadata.put("temperature", Double.toString(header.temperature()));
        metadata.put("topP", Double.toString(header.topP()));
        metadata.put("topK", Integer.toString(header.topK()));
        if (header.contentSha256() != null) {
            metadata.put(CONTENT, header.contentSha256());
        }
        try {
            metadata.put("lossNormaliser", Json.MAPPER.writeValueAsString(header.lossNormaliser()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of a name and a number is always JSON", e);
        }
        return metadata;
    }

    private static Batch.Header header(Map<String, String> metadata) {
        String version = text(metadata, "formatVersion");
        if (!version.equals(Integer.toString(Batch.FORMAT_VERSION))) {
            throw new IllegalArgumentException("format version " + version + "; this worker reads "
                    + Batch.FORMAT_VERSION + ", so trainer and worker are of different releases");
        }
        try {
            return new Batch.Header(
                    text(metadata, "runId"),
                    Integer.parseInt(text(metadata, "step")),
                    Integer.parseInt(text(metadata, "epoch")),
                    Double.parseDouble(text(metadata, "temperature")),
                    Double.parseDouble(text(metadata, "topP")),
                    Integer.parseInt(text(metadata, "topK")),
                    Json.MAPPER.readValue(text(metadata, "lossNormaliser"), Batch.LossNormaliser.class),
                    metadata.get(CONTENT));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("lossNormaliser: " + e.getOriginalMessage(), e);
        }
    }

    private static String text(Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null) {
            throw new IllegalArgumentException("the metadata lacks " + key);
        }
        return value;
    }
}
