package dev.sluice.cli.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The Kubernetes files say what Kubernetes and the packaged services really understand. */
class KubernetesFilesIT {
    private static final Path DIRECTORY = PackagedService.ROOT.resolve("deploy/kubernetes");
    /** Quarkus' own shutdown, and what an engine or a worker needs besides. */
    private static final long LEAST_GRACE_SECONDS = 20;

    private KubernetesObjects objects;

    @BeforeEach
    void readFiles() throws IOException {
        objects = KubernetesObjects.in(DIRECTORY);
    }

    @Test
    void aFieldThatKubernetesDoesNotKnowIsAnError() {
        assertThatThrownBy(() -> KubernetesObjects.read("""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: a}
                spec: {replica: 1}
                """)).hasMessageContaining("replica");
    }

    @Test
    void theKustomizationListsEveryFile() throws IOException {
        JsonNode kustomization = new YAMLMapper()
                .readTree(DIRECTORY.resolve("kustomization.yaml").toFile());
        List<String> files = KubernetesObjects.files(DIRECTORY).stream()
                .map(file -> file.getFileName().toString())
                .toList();

        List<String> listed = new ArrayList<>();
        kustomization.get("resources").forEach(resource -> listed.add(resource.asText()));

        assertThat(listed).containsExactlyInAnyOrderElementsOf(files);
    }

    @Test
    void everyPackagedServiceIsDeployedFromItsImage() {
        assertThat(objects.services().keySet()).containsExactlyInAnyOrderElementsOf(PackagedService.ALL);
        objects.services()
                .forEach((name, pod) ->
                        assertThat(container(pod.getSpec()).getImage()).isEqualTo("sluice-%s:0.1.0".formatted(name)));
    }

    @Test
    void everyVariableIsAKeyOfItsService() throws IOException {
        for (var service : objects.services().entrySet()) {
            Container container = container(service.getValue().getSpec());
            List<String> variables = new ArrayList<>(
                    container.getEnv().stream().map(EnvVar::getName).toList());
            container
                    .getEnvFrom()
                    .forEach(from -> variables.addAll(
                            configuration(from.getConfigMapRef().getName())
                                    .getData()
                                    .keySet()));

            assertThat(variables).contains("SLUICE_KAFKA_BOOTSTRAP_SERVERS", "SLUICE_DATA_ROOT");
            assertThat(new PackagedService(service.getKey()).misunderstood(variables))
                    .as("variables of " + service.getKey())
                    .isEmpty();
        }
    }

    @Test
    void instancesKeepTheirNamesOverARestart() {
        assertThat(objects.of(StatefulSet.class))
                .extracting(set -> set.getMetadata().getName())
                .containsExactlyInAnyOrder("sluice-rollout", "sluice-trainer");
        assertThat(objects.services().values())
                .allSatisfy(pod -> assertThat(container(pod.getSpec()).getEnv())
                        .filteredOn(variable -> variable.getName().equals("SLUICE_INSTANCE_ID"))
                        .extracting(variable ->
                                variable.getValueFrom().getFieldRef().getFieldPath())
                        .containsExactly("metadata.name"));
    }

    @Test
    void programsOfEnginesWorkersAndTopicsExist() {
        List<Path> mains = objects.services().values().stream()
                .flatMap(pod -> container(pod.getSpec()).getEnv().stream())
                .filter(variable -> variable.getName().endsWith("_COMMAND"))
                .map(variable -> PackagedService.mainOf(variable.getValue()))
                .toList();
        List<String> topics = container(
                        objects.of(Job.class).getFirst().getSpec().getTemplate().getSpec())
                .getCommand();

        assertThat(mains).hasSize(2).allSatisfy(main -> assertThat(main).exists());
        assertThat(topics.getLast()).isEqualTo("dev.sluice.kafka.TopicCreation");
        assertThatClassExists(topics.getLast());
    }

    @Test
    void probesAndServicesMeetThePortThatTheImageOpens() throws IOException {
        Matcher exposed = Pattern.compile("EXPOSE (\\d+)").matcher(PackagedService.dockerfile());
        assertThat(exposed.find()).isTrue();
        int port = Integer.parseInt(exposed.group(1));

        objects.services().values().forEach(pod -> {
            Container container = container(pod.getSpec());
            assertThat(container.getPorts()).singleElement().satisfies(open -> {
                assertThat(open.getContainerPort()).isEqualTo(port);
                assertThat(open.getName()).isEqualTo("http");
            });
            assertThat(path(container.getLivenessProbe())).isEqualTo("/q/health/live");
            assertThat(path(container.getReadinessProbe())).isEqualTo("/q/health/ready");
        });
        assertThat(objects.of(Service.class))
                .hasSize(4)
                .allSatisfy(service -> assertThat(service.getSpec()
                                .getPorts()
                                .getFirst()
                                .getTargetPort()
                                .getStrVal())
                        .isEqualTo("http"))
                .allSatisfy(service -> assertThat(objects.services().values())
                        .anySatisfy(pod -> assertThat(pod.getMetadata().getLabels())
                                .containsAllEntriesOf(service.getSpec().getSelector())));
    }

    @Test
    void everyPodIsTheImagesUserAndHasTimeToEnd() throws IOException {
        String image = PackagedService.dockerfile();

        assertThat(pods()).hasSize(6).allSatisfy(pod -> {
            assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(image).contains("--uid " + pod.getSecurityContext().getRunAsUser());
            assertThat(container(pod).getSecurityContext().getAllowPrivilegeEscalation())
                    .isFalse();
        });
        assertThat(objects.services().values())
                .allSatisfy(pod -> assertThat(pod.getSpec().getTerminationGracePeriodSeconds())
                        .isGreaterThanOrEqualTo(LEAST_GRACE_SECONDS));
    }

    @Test
    void allServicesShareOneVolumeUnderTheDataRoot() {
        PersistentVolumeClaim claim = objects.of(PersistentVolumeClaim.class).getFirst();
        String dataRoot = configuration("sluice").getData().get("SLUICE_DATA_ROOT");

        assertThat(claim.getSpec().getAccessModes()).containsExactly("ReadWriteMany");
        assertThat(objects.services().values()).allSatisfy(pod -> {
            assertThat(container(pod.getSpec()).getVolumeMounts())
                    .singleElement()
                    .satisfies(mount -> assertThat(mount.getMountPath()).isEqualTo(dataRoot));
            assertThat(pod.getSpec().getVolumes())
                    .singleElement()
                    .satisfies(volume -> assertThat(
                                    volume.getPersistentVolumeClaim().getClaimName())
                            .isEqualTo(claim.getMetadata().getName()));
        });
    }

    private List<PodSpec> pods() {
        return Stream.concat(
                        objects.services().values().stream(),
                        objects.of(Job.class).stream().map(job -> job.getSpec().getTemplate()))
                .map(pod -> pod.getSpec())
                .toList();
    }

    private ConfigMap configuration(String name) {
        return objects.of(ConfigMap.class).stream()
                .filter(map -> map.getMetadata().getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void assertThatClassExists(String name) {
        // The planner's image carries common/kafka, which is on the command's class path too.
        assertThat(KubernetesFilesIT.class.getResource("/" + name.replace('.', '/') + ".class"))
                .isNotNull();
    }

    private static Container container(PodSpec pod) {
        return pod.getContainers().getFirst();
    }

    private static String path(Probe probe) {
        assertThat(probe.getHttpGet().getPort().getStrVal()).isEqualTo("http");
        return probe.getHttpGet().getPath();
    }
}
