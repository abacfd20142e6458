package dev.sluice.cpu.engine;

import dev.sluice.http.Json;
import dev.sluice.sglang.FinishReason;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The engine's own ledger of generated tokens: one JSON line a request that ended, whoever asked and whatever became of it.
 * Other ledgers are checked against it, so it is written before the reply leaves. Safe for the threads of several ranks.
 */
final class TokenJournal implements AutoCloseable {
    private final @Nullable Writer out;

    private TokenJournal(@Nullable Writer out) {
        this.out = out;
    }

    /** A journal that appends to a file; null keeps none. */
    static TokenJournal open(@Nullable Path file) throws IOException {
        return new TokenJournal(
                file == null
                        ? null
                        : Files.newBufferedWriter(
                                file, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    /**
     * Notes a sample that ended.
     *
     * @throws IOException if the line cannot be written; the ledger is incomplete then
     */
    synchronized void ended(Sample sample) throws IOException {
        if (out == null) {
            return;
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("rid", sample.request().rid());
        line.put("completion_tokens", sample.output().length);
        line.put("weight_version", sample.weightVersion());
        line.put(
                "finish",
                switch (sample.finish()) {
                    case FinishReason.Stop stop -> "stop";
                    case FinishReason.Length length -> "length";
                    case FinishReason.Abort abort -> "abort";
                    case null ->
                        throw new IllegalStateException(
                                "sample " + sample.request().rid() + " has not ended");
                });
        out.write(Json.MAPPER.writeValueAsString(line) + "\n");
        out.flush();
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            out.close();
        }
    }
}
