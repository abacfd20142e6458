package dev.sluice.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TopicsTest {
    @Test
    void everyEventThatExistsBelongsToOneTopic() {
        Set<Class<?>> records = new HashSet<>();
        Deque<Class<?>> open = new ArrayDeque<>(Set.of(Event.class));
        while (!open.isEmpty()) {
            Class<?> type = open.pop();
            if (type.isRecord()) {
                records.add(type);
            } else {
                open.addAll(Arrays.asList(type.getPermittedSubclasses()));
            }
        }

        var listed = Arrays.stream(Topics.values())
                .flatMap(topic -> topic.events().stream())
                .toList();

        assertThat(listed).doesNotHaveDuplicates();
        assertThat(new HashSet<Class<?>>(listed)).isEqualTo(records);
    }

    @Test
    void aTypeOnTheWireLeadsBackToItsRecord() {
        assertThat(Topics.eventOfType("dev.sluice.BatchFormed.v1")).isEqualTo(TrainingEvent.BatchFormed.class);
        assertThat(Topics.eventOfType("dev.sluice.Nonsense.v1")).isNull();
    }
}
