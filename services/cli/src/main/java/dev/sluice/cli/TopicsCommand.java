package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.About;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.Topics;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "topics", description = "Show every topic, or every field of one event.")
final class TopicsCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(names = "--describe", paramLabel = "EVENT", description = "An event, such as GroupSampled.")
    private @Nullable String describe;

    TopicsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        if (describe != null) {
            describe(find(describe));
        } else if (terminal.json()) {
            terminal.result(json().toPrettyString());
        } else {
            table();
        }
        return ExitCode.OK;
    }

    private void table() {
        TextTable table = new TextTable("topic", "key", "partitions", "kept", "written by");
        for (Topics topic : Topics.values()) {
            table.row(topic.topicName(), lower(topic.key()), topic.partitions(), topic.retention(), topic.writer());
        }
        terminal.result(table.toString());
        for (Topics topic : Topics.values()) {
            if (!topic.events().isEmpty()) {
                terminal.result("\n" + topic.topicName());
                topic.events()
                        .forEach(event -> terminal.result("  %-24s %s".formatted(event.getSimpleName(), about(event))));
            }
        }
    }

    private void describe(Class<? extends Event> event) {
        if (terminal.json()) {
            ObjectNode json = EventJson.mapper().createObjectNode();
            json.put("type", Event.typeOf(event))
                    .put("topic", topicOf(event).topicName())
                    .put("about", about(event));
            ArrayNode fields = json.putArray("fields");
            for (RecordComponent field : event.getRecordComponents()) {
                fields.addObject()
                        .put("name", field.getName())
                        .put("type", typeName(field))
                        .put("about", about(field));
            }
            terminal.result(json.toPrettyString());
            return;
        }
        terminal.result(Event.typeOf(event) + " on " + topicOf(event).topicName());
        terminal.result(about(event) + ".\n");
        TextTable table = new TextTable("field", "type", "meaning");
        for (RecordComponent field : event.getRecordComponents()) {
            table.row(field.getName(), typeName(field), about(field));
        }
        terminal.result(table.toString());
    }

    private static ArrayNode json() {
        ArrayNode topics = EventJson.mapper().createArrayNode();
        for (Topics topic : Topics.values()) {
            ObjectNode json = topics.addObject()
                    .put("name", topic.topicName())
                    .put("key", lower(topic.key()))
                    .put("partitions", topic.partitions())
                    .put("kept", topic.retention().toString())
                    .put("reading", lower(topic.reading()))
                    .put("writer", topic.writer());
            ObjectNode events = json.putObject("events");
            topic.events().forEach(event -> events.put(event.getSimpleName(), about(event)));
        }
        return topics;
    }

    private static Class<? extends Event> find(String name) {
        List<Class<? extends Event>> all = Arrays.stream(Topics.values())
                .flatMap(topic -> topic.events().stream())
                .toList();
        return all.stream()
                .filter(event -> event.getSimpleName().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> CommandFailure.usage("there is no event " + name + "; there are "
                        + all.stream()
                                .map(Class::getSimpleName)
                                .sorted(Comparator.naturalOrder())
                                .collect(Collectors.joining(", "))));
    }

    private static Topics topicOf(Class<? extends Event> event) {
        return Arrays.stream(Topics.values())
                .filter(topic -> topic.events().contains(event))
                .findFirst()
                .orElseThrow();
    }

    private static String about(AnnotatedElement element) {
        About about = element.getAnnotation(About.class);
        return about == null ? "" : about.value();
    }

    private static String typeName(RecordComponent field) {
        return field.getGenericType()
                .getTypeName()
                .replaceAll("[a-z]+\\.([a-z]+\\.)*", "")
                .replaceAll("\\w+\\$", "");
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
