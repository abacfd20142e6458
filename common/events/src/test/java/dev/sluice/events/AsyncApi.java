package dev.sluice.events;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/**
 * The AsyncAPI document of all topics.
 *
 * @see <a href="https://www.asyncapi.com/docs/reference/specification/v3.0.0">AsyncAPI 3.0.0</a>
 */
final class AsyncApi {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private AsyncApi() {}

    static ObjectNode document() {
        ObjectNode document = JSON.objectNode().put("asyncapi", "3.0.0");
        document.putObject("info")
                .put("title", "Sluice topics")
                .put("version", "1")
                .put(
                        "description",
                        "CloudEvents 1.0 in Kafka's binary mode: attributes in ce_ headers, JSON in the value");
        document.put("defaultContentType", "application/json");
        ObjectNode channels = document.putObject("channels");
        ObjectNode operations = document.putObject("operations");
        ObjectNode messages = document.putObject("components").putObject("messages");
        for (Topics topic : Topics.values()) {
            channel(channels.putObject(topic.name()), topic);
            if (!topic.events().isEmpty()) {
                operation(operations.putObject("read-" + topic.name()), topic);
            }
            topic.events().forEach(event -> message(messages.putObject(event.getSimpleName()), event));
        }
        return document;
    }

    private static void channel(ObjectNode channel, Topics topic) {
        channel.put("address", topic.topicName());
        channel.put(
                "description",
                "Written by %s; key: %s; read as %s; kept: %s"
                        .formatted(
                                topic.writer(),
                                topic.key().name().toLowerCase(Locale.ROOT),
                                topic.reading().name().toLowerCase(Locale.ROOT),
                                topic.retention()));
        ObjectNode messages = channel.putObject("messages");
        topic.events()
                .forEach(event -> messages.putObject(event.getSimpleName())
                        .put("$ref", "#/components/messages/" + event.getSimpleName()));
        ObjectNode kafka = channel.putObject("bindings").putObject("kafka");
        kafka.put("topic", topic.topicName()).put("partitions", topic.partitions());
        ObjectNode settings = kafka.putObject("topicConfiguration");
        settings.putArray("cleanup.policy").add(topic.retention().compact() ? "compact" : "delete");
        if (!topic.retention().compact()) {
            settings.put(
                    "retention.ms",
                    topic.retention().time() == null
                            ? -1
                            : topic.retention().time().toMillis());
        }
    }

    private static void operation(ObjectNode operation, Topics topic) {
        operation.put("action", "receive");
        operation.putObject("channel").put("$ref", "#/channels/" + topic.name());
    }

    private static void message(ObjectNode message, Class<? extends Event> event) {
        message.put("name", Event.typeOf(event)).put("summary", EventSchemas.about(event));
        message.put("contentType", "application/json");
        message.putObject("payload").put("$ref", "schemas/" + event.getSimpleName() + ".json");
    }
}
