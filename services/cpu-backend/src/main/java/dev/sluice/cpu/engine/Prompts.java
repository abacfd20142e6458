package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.GenerateBody.Prompt;
import dev.sluice.cpu.engine.GenerationRequest.WantedLogprobs;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Turns the prompts of a body into requests for the scheduler: tokenises, checks lengths and ids, gives each its coins. */
final class Prompts {
    /** Keeps the coins of a prompt's samples apart; any odd constant does. */
    private static final long SEED_STRIDE = 0xD1B54A32D192ED03L;

    /** No vocabulary we know has a longer token. */
    private static final int LONGEST_TOKEN_CHARACTERS = 256;

    /** What the tokenizer takes at once, and what its native half can take of a small heap. */
    private static final long MAX_TEXT_CHARACTERS =
            Math.min(16L << 20, Runtime.getRuntime().maxMemory() / 64);

    private final @Nullable Tokenizer tokenizer;
    private final int vocabulary;
    private final int contextLength;
    private final int reservedTokens;
    private final int ranks;
    private final SamplingRules samplingRules;
    private final AtomicLong nextSeed;

    Prompts(Engine engine) {
        this(
                engine.tokenizer(),
                engine.config().vocabularySize(),
                engine.contextLength(),
                engine.options().reservedTokens(),
                engine.ranks().count(),
                engine.options().seed());
    }

    private Prompts(
            @Nullable Tokenizer tokenizer,
            int vocabulary,
            int contextLength,
            int reservedTokens,
            int ranks,
            long seed) {
        this.tokenizer = tokenizer;
        this.reservedTokens = reservedTokens;
        this.vocabulary = vocabulary;
        this.contextLength = contextLength;
        this.ranks = ranks;
        this.samplingRules = new SamplingRules(tokenizer != null, vocabulary);
        this.nextSeed = new AtomicLong(seed);
    }

    /**
     * The requests of one prompt, one a sample.
     *
     * @param receivers gives the receiver of the sample with this index
     */
    List<GenerationRequest> requests(Prompt prompt, IntFunction<Consumer<Sample>> receivers) {
        Sampling sampling = samplingRules.read(prompt.sampling());
        int[] ids = ids(prompt.request());
        requireFits(ids.length, sampling.maxNewTokens());
        Integer rank = prompt.request().routedDpRank();
        if (rank != null && (rank < 0 || rank >= ranks)) {
            throw new RequestException("routed_dp_rank=" + rank + " out of range [0, " + ranks + ")");
        }
        WantedLogprobs wanted = logprobs(prompt.request(), ids.length);
        // Without a seed of its own, a request continues the engine's: --random-seed repeats a whole session.
        long seed = sampling.seed().orElseGet(() -> nextSeed.getAndAdd(sampling.samples() * SEED_STRIDE));
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < sampling.samples(); i++) {
            String rid = sampling.samples() == 1 ? prompt.rid() : prompt.rid() + "_" + i;
            int interval = Boolean.TRUE.equals(prompt.request().stream()) ? sampling.streamInterval() : 0;
            Coins coins = new Coins(seed + i * SEED_STRIDE);
            requests.add(new GenerationRequest(rid, ids, sampling, wanted, coins, rank, interval, receivers.apply(i)));
        }
        return requests;
    }

    private int[] ids(GenerateRequest request) {
        int[] ids;
        if (request.text() != null) {
            ids = encode(request.text());
        } else {
            ids = request.inputIds() == null ? new int[0] : request.inputIds();
        }
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new RequestException("The input_ids contain the token " + id
                        + ", but the model's vocabulary has the ids 0 to " + (vocabulary - 1) + ".");
            }
        }
        return ids;
    }

    /**
     * Token ids of a text.
     *
     * @throws RequestException if it cannot be read, or is so long that it cannot fit whatever its tokens are
     */
    int[] encode(String text) {
        if (tokenizer == null) {
            throw new RequestException(
                    "The engine initialized with skip_tokenizer_init=True cannot accept text prompts. Please provide"
                            + " input_ids or re-initialize the engine with skip_tokenizer_init=False.");
        }
        if (text.length() > MAX_TEXT_CHARACTERS || text.length() / LONGEST_TOKEN_CHARACTERS >= contextLength) {
            throw new RequestException("The input (" + text.length()
                    + " characters) is longer than the model's context length (" + contextLength + " tokens).");
        }
        return tokenizer.encode(text);
    }

    /** As in SGLang, what is kept free for drafts counts and is told as part of the input. */
    private void requireFits(int idsGiven, int newTokens) {
        if (idsGiven == 0) {
            throw new RequestException("input_ids cannot be empty.");
        }
        int promptTokens = idsGiven + reservedTokens;
        if (promptTokens >= contextLength) {
            throw new RequestException("The input (" + promptTokens
                    + " tokens) is longer than the model's context length (" + contextLength + " tokens).");
        }
        if ((long) promptTokens + newTokens > contextLength) {
            long total = (long) promptTokens + newTokens;
            throw new RequestException("Requested token count exceeds the model's maximum context length of "
                    + contextLength + " tokens. You requested a total of " + total + " tokens: " + promptTokens
                    + " tokens from the input messages and " + newTokens + " tokens for the completion. Please reduce"
                    + " the number of tokens in the input messages or the completion to fit within the limit.");
        }
    }

    private WantedLogprobs logprobs(GenerateRequest request, int promptTokens) {
        if (!Boolean.TRUE.equals(request.returnLogprob())) {
            return WantedLogprobs.NONE;
        }
        int from = request.logprobStartLen() == null ? -1 : request.logprobStartLen();
        if (from > promptTokens || from < -1) {
            throw new RequestException(
                    "logprob_start_len, (" + from + ") is higher than the number of input tokens " + promptTokens);
        }
        int top = request.topLogprobsNum() == null ? 0 : request.topLogprobsNum();
        List<Integer> asked = request.tokenIdsLogprob() == null ? List.of() : List.copyOf(request.tokenIdsLogprob());
        boolean known = asked.stream().allMatch(id -> id >= 0 && id < vocabulary);
        if (top < 0 || top > vocabulary || !known) {
            throw new RequestException(
                    "top_logprobs_num and token_ids_logprob must lie in the vocabulary of " + vocabulary + " tokens.");
        }
        return new WantedLogprobs(true, from, top, asked, Boolean.TRUE.equals(request.returnTextInLogprobs()));
    }
}
