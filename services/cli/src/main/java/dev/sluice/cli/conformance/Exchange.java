package dev.sluice.cli.conformance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** A request and its reply, with the expectations that a check has of it; each throws {@link Check.Mismatch}. */
record Exchange(HttpCall call, HttpReply reply) {
    private static final int EXCERPT = 600;

    Exchange status(int... allowed) {
        List<Integer> statuses = new ArrayList<>();
        for (int one : allowed) {
            statuses.add(one);
        }
        return require(statuses.contains(reply.status()), "status " + (allowed.length == 1 ? allowed[0] : statuses));
    }

    /** The whole reply, which must be JSON. */
    JsonNode json() {
        try {
            return reply.tree();
        } catch (IOException e) {
            throw mismatch("a reply in JSON");
        }
    }

    /** A part of the reply, by its JSON pointer. */
    JsonNode at(String pointer) {
        return json().at(pointer);
    }

    /** Expects something of a part of the reply. */
    Exchange that(String pointer, String expectation, Predicate<JsonNode> holds) {
        return require(holds.test(at(pointer)), pointer + " is " + expectation);
    }

    Exchange integer(String... pointers) {
        for (String pointer : pointers) {
            that(pointer, "an integer", JsonNode::isIntegralNumber);
        }
        return this;
    }

    Exchange text(String... pointers) {
        for (String pointer : pointers) {
            that(pointer, "a string", JsonNode::isTextual);
        }
        return this;
    }

    Exchange equal(String pointer, Object value) {
        return that(pointer, String.valueOf(value), node -> node.asText().equals(String.valueOf(value)));
    }

    Exchange require(boolean holds, String expectation) {
        if (!holds) {
            throw mismatch(expectation);
        }
        return this;
    }

    /** Frames of a stream; the last must be {@code [DONE]} and is left out. */
    List<JsonNode> frames() {
        String[] frames = reply.text().strip().split("\r?\n\r?\n");
        require(frames[frames.length - 1].equals("data: [DONE]"), "a stream that ends with data: [DONE]");
        List<JsonNode> values = new ArrayList<>();
        for (int i = 0; i < frames.length - 1; i++) {
            require(frames[i].startsWith("data: "), "frames that begin with data:");
            try {
                values.add(Json.MAPPER.readTree(frames[i].substring("data: ".length())));
            } catch (JsonProcessingException e) {
                throw mismatch("frames in JSON");
            }
        }
        require(!values.isEmpty(), "at least one frame");
        return values;
    }

    Check.Mismatch mismatch(String expectation) {
        String came = "status " + reply.status() + ": " + shortened(reply.text());
        return new Check.Mismatch(sent(call), expectation, came);
    }

    static String sent(HttpCall call) {
        String line = call.method() + " " + call.path();
        try {
            return call.body() == null ? line : line + " " + shortened(Json.MAPPER.writeValueAsString(call.body()));
        } catch (JsonProcessingException e) {
            return line;
        }
    }

    private static String shortened(String text) {
        return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
    }
}
