package dev.sluice.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The tokens of a {@code tokenizer.json} with their ids: {@code model.vocab} in either of its two forms (an object of
 * ids, or Unigram's list of pairs whose position is the id) and {@code added_tokens}.
 *
 * <p>Read as a stream: the merges of a large model are half a million strings that nobody here needs.
 *
 * @param size the highest id plus one; a model's embedding may have more rows (padding), never fewer
 */
record Vocabulary(Map<String, Integer> ids, int size) {
    private static final int MAXIMUM_ID = 1 << 24;
    private static final JsonFactory JSON = new JsonFactory();

    static Vocabulary read(ModelFile file) throws IOException {
        Map<String, Integer> ids = new HashMap<>();
        try (JsonParser json = JSON.createParser(file.bytes())) {
            expect(json.nextToken(), JsonToken.START_OBJECT, file, "is not a JSON object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "added_tokens" -> readAddedTokens(json, ids, file);
                    case "model" -> readModel(json, ids, file);
                    default -> json.skipChildren();
                }
            }
        } catch (JsonProcessingException e) {
            throw file.malformed("is not valid JSON (" + e.getOriginalMessage() + ")", e);
        }
        if (ids.isEmpty()) {
            throw file.malformed("names no token (model.vocab and added_tokens are empty)", new IOException("empty"));
        }
        int highest = ids.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
        return new Vocabulary(Map.copyOf(ids), highest + 1);
    }

    private static void readAddedTokens(JsonParser json, Map<String, Integer> ids, ModelFile file) throws IOException {
        while (json.nextToken() == JsonToken.START_OBJECT) {
            String content = null;
            int id = -1;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "content" -> content = json.getText();
                    case "id" -> id = json.getIntValue();
                    default -> json.skipChildren();
                }
            }
            if (content == null) {
                throw file.malformed("has an added token without content", new IOException("id " + id));
            }
            put(ids, content, id, file);
        }
    }

    private static void readModel(JsonParser json, Map<String, Integer> ids, ModelFile file) throws IOException {
        expect(json.currentToken(), JsonToken.START_OBJECT, file, "has a model that is not an object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (!field.equals("vocab")) {
                json.skipChildren();
            } else if (value == JsonToken.START_ARRAY) {
                readScoredTokens(json, ids, file);
            } else {
                readTokenIds(json, ids, file);
            }
        }
    }

    private static void readTokenIds(JsonParser json, Map<String, Integer> ids, ModelFile file) throws IOException {
        expect(json.currentToken(), JsonToken.START_OBJECT, file, "has a model.vocab that is neither object nor list");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String token = json.currentName();
            json.nextToken();
            put(ids, token, json.getIntValue(), file);
        }
    }

    private static void readScoredTokens(JsonParser json, Map<String, Integer> ids, ModelFile file) throws IOException {
        int position = 0;
        while (json.nextToken() == JsonToken.START_ARRAY) {
            json.nextToken();
            put(ids, json.getText(), position++, file);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                json.skipChildren();
            }
        }
    }

    private static void put(Map<String, Integer> ids, String token, int id, ModelFile file) throws IOException {
        if (id < 0 || id >= MAXIMUM_ID) {
            throw file.malformed(
                    "gives the token '" + token + "' the id " + id + ", outside 0.." + (MAXIMUM_ID - 1),
                    new IOException("id " + id));
        }
        ids.put(token, id);
    }

    private static void expect(JsonToken found, JsonToken wanted, ModelFile file, String problem) throws IOException {
        if (found != wanted) {
            throw file.malformed(problem, new IOException("found " + found));
        }
    }
}
