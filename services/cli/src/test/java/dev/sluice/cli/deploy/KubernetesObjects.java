package dev.sluice.cli.deploy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The objects of a folder of Kubernetes files, read by Kubernetes' own types; a field that they lack is an error. */
record KubernetesObjects(List<HasMetadata> all) {
    private static final Map<String, Class<? extends HasMetadata>> TYPES = Map.of(
            "v1 Namespace", Namespace.class,
            "v1 ConfigMap", ConfigMap.class,
            "v1 PersistentVolumeClaim", PersistentVolumeClaim.class,
            "v1 Service", Service.class,
            "apps/v1 Deployment", Deployment.class,
            "apps/v1 StatefulSet", StatefulSet.class,
            "batch/v1 Job", Job.class);

    private static final YAMLMapper STRICT = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .annotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated setter) {
                    return false; // the types would take misspelt fields for additional ones
                }
            })
            .build();

    static KubernetesObjects in(Path directory) throws IOException {
        List<HasMetadata> all = new ArrayList<>();
        for (Path file : files(directory)) {
            all.addAll(read(Files.readString(file)));
        }
        return new KubernetesObjects(all);
    }

    /** The files of a folder but for the one that lists them. */
    static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> !file.endsWith("kustomization.yaml"))
                    .sorted()
                    .toList();
        }
    }

    static List<HasMetadata> read(String yaml) throws IOException {
        List<HasMetadata> objects = new ArrayList<>();
        try (MappingIterator<JsonNode> documents =
                STRICT.readerFor(JsonNode.class).readValues(yaml)) {
            while (documents.hasNext()) {
                JsonNode document = documents.next();
                String kind = document.path("apiVersion").asText() + " "
                        + document.path("kind").asText();
                if (!TYPES.containsKey(kind)) {
                    throw new IOException("no type is known for " + kind + "; add it to KubernetesObjects");
                }
                objects.add(STRICT.treeToValue(document, TYPES.get(kind)));
            }
        }
        return objects;
    }

    <T> List<T> of(Class<T> type) {
        return all.stream().filter(type::isInstance).map(type::cast).toList();
    }

    /** Pods of services by the service's name. */
    Map<String, PodTemplateSpec> services() {
        Map<String, PodTemplateSpec> pods = new TreeMap<>();
        of(Deployment.class)
                .forEach(object -> pods.put(name(object), object.getSpec().getTemplate()));
        of(StatefulSet.class)
                .forEach(object -> pods.put(name(object), object.getSpec().getTemplate()));
        return pods;
    }

    private static String name(HasMetadata object) {
        return object.getMetadata().getName().replaceFirst("^sluice-", "");
    }
}
