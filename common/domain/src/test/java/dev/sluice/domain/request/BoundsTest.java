package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingRequest;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BoundsTest {

    @Test
    void everyNumberOfARequestHasBoundsButTheSeed() {
        List<String> numbers = new ArrayList<>();
        collect(TrainingRequest.class, "", numbers);

        numbers.remove("data.seed");
        assertThat(Bounds.BY_PATH.keySet()).containsExactlyInAnyOrderElementsOf(numbers);
    }

    private static void collect(Class<?> type, String path, List<String> numbers) {
        for (RecordComponent component : type.getRecordComponents()) {
            String place = path.isEmpty() ? component.getName() : path + "." + component.getName();
            if (component.getType().isRecord()) {
                collect(component.getType(), place, numbers);
            } else if (component.getType() == List.class) {
                var element = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
                if (((Class<?>) element).isRecord()) {
                    collect((Class<?>) element, place + "[]", numbers);
                } else if (element == Integer.class) {
                    numbers.add(place + "[]");
                }
            } else if (Set.of(int.class, Integer.class, long.class, double.class, Double.class)
                    .contains(component.getType())) {
                numbers.add(place);
            }
        }
    }
}
