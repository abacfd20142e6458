package dev.sluice.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The tokenizer of a Hugging Face model directory ({@code tokenizer.json}), run by the Rust library that the model's
 * own authors use. Safe for many threads; never truncates, never pads, never touches the network.
 */
public final class Tokenizer implements AutoCloseable {
    /** GLM-4.7's file has 20 MB; the largest published ones have about 35 MB. */
    private static final int MAXIMUM_TOKENIZER_BYTES = 128 << 20;
    /** More than any context window holds; keeps one hostile prompt from filling the native heap. */
    static final int MAXIMUM_TEXT_CHARACTERS = 16 << 20;

    private final HuggingFaceTokenizer tokenizer;
    private final Vocabulary vocabulary;
    private final List<Integer> endOfSequenceIds;
    // Closing frees native memory: an encode that is still running would read freed memory and end the JVM.
    private final ReadWriteLock use = new ReentrantReadWriteLock();
    private boolean closed;

    static {
        // DJL would report its use to a server and look for a CUDA build of the library on its download site.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    private Tokenizer(HuggingFaceTokenizer tokenizer, Vocabulary vocabulary, List<Integer> endOfSequenceIds) {
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        this.endOfSequenceIds = endOfSequenceIds;
    }

    /**
     * Opens the tokenizer of a model directory.
     *
     * @param modelDir holds {@code tokenizer.json}; {@code generation_config.json} and {@code config.json} are asked for
     *     the end-of-sequence ids where present
     * @throws IOException if a file is missing, too large or broken; the message names it and what to do
     */
    public static Tokenizer open(Path modelDir) throws IOException {
        ModelFile file = ModelFile.read(
                modelDir,
                "tokenizer.json",
                MAXIMUM_TOKENIZER_BYTES,
                "copy it from the model's page (a tokenizer.model alone can be converted with transformers'"
                        + " save_pretrained).");
        Vocabulary vocabulary = Vocabulary.read(file);
        List<Integer> endOfSequenceIds = EndTokens.of(modelDir);
        Map<String, String> options = Map.of(
                // "false" must be said: the library's own default cuts at 512 tokens.
                "truncation", "false", "padding", "false", "addSpecialTokens", "false");
        try {
            return new Tokenizer(
                    HuggingFaceTokenizer.newInstance(file.stream(), options), vocabulary, endOfSequenceIds);
        } catch (RuntimeException e) {
            throw file.malformed("is refused by the tokenizers library (" + e.getMessage() + ")", e);
        }
    }

    /** Token ids of a text, without the special tokens that a template would add; those written in the text are found. */
    public int[] encode(String text) {
        return encode(text, false);
    }

    /**
     * Token ids of a text.
     *
     * @param addSpecialTokens whether the file's post-processor adds its tokens (such as a first BOS)
     * @throws IllegalArgumentException if the text is longer than 16 Mi characters
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        if (text.length() > MAXIMUM_TEXT_CHARACTERS) {
            throw new IllegalArgumentException("A text of " + text.length() + " characters is longer than the "
                    + MAXIMUM_TEXT_CHARACTERS + " that are tokenised at once; split it.");
        }
        use.readLock().lock();
        try {
            requireOpen();
            return Arrays.stream(tokenizer.encode(text, addSpecialTokens, false).getIds())
                    .mapToInt(Math::toIntExact)
                    .toArray();
        } finally {
            use.readLock().unlock();
        }
    }

    /**
     * Text of token ids; ids above the vocabulary (padded embedding rows) decode to nothing.
     *
     * @throws IllegalArgumentException if an id is negative
     */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0) {
                throw new IllegalArgumentException("Token " + i + " of " + ids.length + " has the id " + ids[i]
                        + "; ids are 0 to " + (vocabulary.size() - 1) + ".");
            }
            wide[i] = ids[i];
        }
        use.readLock().lock();
        try {
            requireOpen();
            return tokenizer.decode(wide, skipSpecialTokens);
        } finally {
            use.readLock().unlock();
        }
    }

    /** The highest token id plus one; a model's embedding may have more rows. */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** The id of exactly this token, as it is written in {@code tokenizer.json}. */
    public OptionalInt idOf(String token) {
        Integer id = vocabulary.ids().get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /**
     * The ids that end a sequence, ascending: those of {@code generation_config.json}, else of {@code config.json}; empty
     * where neither says.
     */
    public List<Integer> endOfSequenceIds() {
        return endOfSequenceIds;
    }

    @Override
    public void close() {
        use.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                tokenizer.close();
            }
        } finally {
            use.writeLock().unlock();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The tokenizer is closed; its owner must outlive every encode and decode.");
        }
    }
}
