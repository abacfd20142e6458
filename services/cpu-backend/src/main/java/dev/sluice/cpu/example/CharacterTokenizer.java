package dev.sluice.cpu.example;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** A tokenizer of single characters with 64 tokens: three special ones, digits, small letters, punctuation. */
final class CharacterTokenizer {
    static final int PAD = 0;
    static final int END = 1;
    static final int UNKNOWN = 2;

    private static final String CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz =+-*/()[]{}<>.,:;!?'\"_%#";

    private final List<String> vocabulary = new ArrayList<>(List.of("<pad>", "<eos>", "<unk>"));

    CharacterTokenizer() {
        CHARACTERS.chars().mapToObj(Character::toString).forEach(vocabulary::add);
    }

    /** A multiple of 64: Megatron pads vocabularies to that, and padded tokens would have a probability. */
    int size() {
        return vocabulary.size();
    }

    int[] encode(String text) {
        return text.chars()
                .map(character -> vocabulary.indexOf(Character.toString(character)))
                .map(id -> id < 0 ? UNKNOWN : id)
                .toArray();
    }

    /** The content of tokenizer.json, as Hugging Face tokenizers reads it. */
    ObjectNode tokenizerJson(ObjectMapper json) {
        ObjectNode root = json.createObjectNode().put("version", "1.0");
        root.putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = PAD; id <= UNKNOWN; id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", vocabulary.get(id))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putNull("normalizer");
        ObjectNode split = root.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", ".");
        split.put("behavior", "Isolated").put("invert", false);
        root.putNull("post_processor");
        // Without a decoder, tokens would be joined by spaces.
        root.putObject("decoder").put("type", "Fuse");
        ObjectNode model = root.putObject("model").put("type", "WordLevel");
        ObjectNode ids = model.putObject("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            ids.put(vocabulary.get(id), id);
        }
        model.put("unk_token", vocabulary.get(UNKNOWN));
        return root;
    }

    /** The content of tokenizer_config.json. */
    ObjectNode tokenizerConfig(ObjectMapper json, int maxPositions) {
        return json.createObjectNode()
                .put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("pad_token", vocabulary.get(PAD))
                .put("eos_token", vocabulary.get(END))
                .put("unk_token", vocabulary.get(UNKNOWN))
                .put("clean_up_tokenization_spaces", false)
                .put("model_max_length", maxPositions);
    }
}
