package dev.sluice.domain.request;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads a request document strictly: either a complete {@link TrainingRequest}, or every problem at once. The records of
 * {@link TrainingRequest} are the schema; {@code request-defaults.json} holds the defaults.
 */
public final class RequestReader {
    private RequestReader() {}

    /** What reading came to. */
    public sealed interface Reading {
        /**
         * A request in which every value has its type and lies within its bounds.
         *
         * @param sha256 hash of the canonical request, 64 hexadecimal digits
         */
        record Complete(TrainingRequest request, String sha256) implements Reading {}

        /**
         * What the document's shape has against it.
         *
         * @param problems never empty
         * @param rest the request with defaults and stand-ins in place of what was refused, for the rules to look at;
         *     absent where the document is none
         */
        record Refused(List<Problem> problems, @Nullable TrainingRequest rest) implements Reading {
            public Refused {
                problems = List.copyOf(problems);
            }

            /** These problems, and the rules' errors that are not about a value that was refused anyway. */
            public List<Problem> with(List<Problem> broken) {
                Stream<Problem> further = broken.stream()
                        .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                        .filter(problem -> problems.stream().noneMatch(known -> covers(known.path(), problem.path())));
                return Stream.concat(problems.stream(), further).toList();
            }

            private static boolean covers(String refused, String path) {
                return path.equals(refused) || path.startsWith(refused + ".") || path.startsWith(refused + "[");
            }
        }
    }

    /** @param document the request, of which all but the required keys may be left out */
    public static Reading read(JsonNode document) {
        if (!document.isObject()) {
            return new Reading.Refused(
                    List.of(Problem.error(
                            "request.type",
                            "",
                            "the request is %s, not a document of keys"
                                    .formatted(document.getNodeType().name().toLowerCase(Locale.ROOT)),
                            "write at least model.path, data.prompts, backend and training.steps")),
                    null);
        }
        RequestShape shape = new RequestShape();
        JsonNode plain = shape.check(document);
        ObjectNode filled = RequestDefaults.fill(plain);
        shape.requireAll(filled);
        try {
            TrainingRequest request = EventJson.mapper().treeToValue(filled, TrainingRequest.class);
            return shape.problems().isEmpty()
                    ? new Reading.Complete(request, CanonicalRequest.sha256(request))
                    : new Reading.Refused(shape.problems(), request);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a checked request does not fit its own record: " + filled, e);
        }
    }
}
