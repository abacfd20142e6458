package dev.sluice.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/**
 * A conversation as supervised fine-tuning reads it: the tokens of the whole, and which of them the model is to learn: what
 * it would have generated itself, that is everything of an assistant's message behind the generation prompt, the tokens that
 * close it included. A message with {@code "step_loss_mask": 0} is read and not learnt.
 *
 * <p>The tokens are those of the whole conversation, rendered once; slime renders each message alone and joins them. Both
 * are the same where a template writes a message alike wherever it stands.
 *
 * @param ids of all tokens
 * @param mask 1 where a token is learnt, of the same length
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/mask_utils.py">slime's MultiTurnLossMaskGenerator</a>
 */
public record TrainedTurns(int[] ids, byte[] mask) {
    /** Stands for an answer while the text behind it is looked for; no tokenizer or template knows it. */
    private static final String PLACEHOLDER = "\u2063answer\u2063";

    private static final String STEP_MASK = "step_loss_mask";

    /**
     * @param conversation its generation prompt is not looked at
     * @throws dev.sluice.text.jinja.TemplateException if the template refuses the conversation
     * @throws IllegalArgumentException if nothing in it is to be learnt, or the template writes a turn differently once others
     *     follow, so that no place in the whole is the turn's
     */
    public static TrainedTurns of(ChatTemplate template, Tokenizer tokenizer, Conversation conversation) {
        Renderings renderings = new Renderings(template, conversation);
        String whole = renderings.upTo(renderings.size());
        int[] ids = tokenizer.encode(whole);
        byte[] mask = new byte[ids.length];
        boolean learns = false;
        for (int turn = 0; turn < renderings.size(); turn++) {
            JsonNode message = conversation.messages().get(turn);
            if (!message.path("role").asText().equals("assistant")
                    || message.path(STEP_MASK).asInt(1) != 1) {
                continue;
            }
            int first = tokensBefore(renderings.begin(turn, whole), whole, ids, tokenizer);
            int end = tokensBefore(renderings.end(turn, whole), whole, ids, tokenizer);
            Arrays.fill(mask, first, end, (byte) 1);
            if (end < ids.length && endsUnclosed(ids, first, end, tokenizer)) {
                mask[end] = 1;
            }
            learns |= end > first;
        }
        if (!learns) {
            throw new IllegalArgumentException(
                    "there is no message of the assistant to learn from; end the conversation with one");
        }
        return new TrainedTurns(ids, mask);
    }

    /** GLM's templates close no turn: there it is the next message's role token that ends an answer. */
    private static boolean endsUnclosed(int[] ids, int first, int end, Tokenizer tokenizer) {
        return tokenizer.endOfSequenceIds().contains(ids[end])
                && Arrays.stream(ids, first, end).noneMatch(tokenizer.endOfSequenceIds()::contains);
    }

    /** Tokens of the whole that lie before a place in its text. */
    private static int tokensBefore(int place, String whole, int[] ids, Tokenizer tokenizer) {
        if (place == whole.length()) {
            return ids.length;
        }
        int differs = Arrays.mismatch(ids, tokenizer.encode(whole.substring(0, place)));
        return differs < 0 ? ids.length : differs;
    }

    /** The conversation's beginnings as the template writes them. */
    private record Renderings(ChatTemplate template, Conversation conversation) {
        int size() {
            return conversation.messages().size();
        }

        String upTo(int messages) {
            return render(first(messages), false);
        }

        /** Where the model begins to write in the whole text. */
        int begin(int turn, String whole) {
            if (turn == 0) {
                return 0;
            }
            String before = upTo(turn);
            if (!whole.startsWith(before)) {
                throw rewritten(turn);
            }
            // A template may prompt for thoughts that the answer at hand does not have.
            return commonPrefix(render(first(turn), true), whole);
        }

        int end(int turn, String whole) {
            if (turn == size() - 1) {
                return whole.length();
            }
            String with = upTo(turn + 1);
            if (whole.startsWith(with)) {
                return with.length();
            }
            // Templates that take thoughts out of an answer once a user follows: what follows is cut off instead.
            String alone = behindPlaceholder(turn, turn + 1);
            String followed = behindPlaceholder(turn, turn + 2);
            String withNext = upTo(turn + 2);
            if (!followed.startsWith(alone) || !whole.startsWith(withNext)) {
                throw rewritten(turn);
            }
            String next = followed.substring(alone.length());
            if (!withNext.endsWith(next)) {
                throw rewritten(turn);
            }
            return withNext.length() - next.length();
        }

        private String behindPlaceholder(int turn, int messages) {
            ArrayNode altered = first(messages);
            ObjectNode answer = JsonNodeFactory.instance.objectNode();
            altered.set(turn, answer.put("role", "assistant").put("content", PLACEHOLDER));
            String text = render(altered, false);
            int place = text.lastIndexOf(PLACEHOLDER);
            if (place < 0) {
                throw rewritten(turn);
            }
            return text.substring(place + PLACEHOLDER.length());
        }

        private ArrayNode first(int messages) {
            ArrayNode some = JsonNodeFactory.instance.arrayNode();
            for (int i = 0; i < messages; i++) {
                some.add(conversation.messages().get(i));
            }
            return some;
        }

        private String render(ArrayNode messages, boolean addGenerationPrompt) {
            return template.render(
                    new Conversation(messages, conversation.tools(), addGenerationPrompt, conversation.arguments()));
        }

        private static IllegalArgumentException rewritten(int turn) {
            return new IllegalArgumentException(
                    ("the chat template writes what goes before or behind message %d differently once more messages follow, so its"
                                    + " tokens cannot be told; give the conversation up to it as a row of its own, or set its %s to 0")
                            .formatted(turn, STEP_MASK));
        }

        private static int commonPrefix(String one, String other) {
            int length = Math.min(one.length(), other.length());
            int same = 0;
            while (same < length && one.charAt(same) == other.charAt(same)) {
                same++;
            }
            return same;
        }
    }
}
