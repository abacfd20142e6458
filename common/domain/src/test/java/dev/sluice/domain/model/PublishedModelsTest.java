package dev.sluice.domain.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PublishedModelsTest {

    static List<Recipes> recipes() {
        return Recipes.all();
    }

    static Stream<String> names() {
        return PublishedModels.names().stream();
    }

    /** The table counts an MTP layer for each model, whether it is published with one or not. */
    @ParameterizedTest
    @MethodSource("recipes")
    void countsTheModelOfEveryRecipeToTheTablesDecimals(Recipes recipe) {
        Parameters count = new Parameters(Models.published(recipe.text("hf_checkpoint")));

        assertThat(billions(count.total())).isEqualByComparingTo(recipe.text("total_params_b"));
        assertThat(billions(count.activeWithoutEmbeddings()))
                .isEqualByComparingTo(recipe.text("active_params_b_no_embed"));
        assertThat(billions(count.active())).isEqualByComparingTo(recipe.text("active_params_b_with_head"));
        assertThat(billions(count.mtpLayer().total())).isEqualByComparingTo(recipe.text("mtp_params_b"));
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void hasTheSizesOfEveryRecipe(Recipes recipe) {
        ModelSpec model = Models.published(recipe.text("hf_checkpoint"));

        assertThat(model.layers()).isEqualTo(recipe.whole("layers"));
        assertThat(model.hiddenSize()).isEqualTo(recipe.whole("hidden"));
        assertThat(model.vocabularySize()).isEqualTo(recipe.whole("vocab"));
        assertThat(model.denseSize()).isEqualTo(recipe.whole("ffn"));
        assertThat(model.sparseLayers()).isEqualTo(recipe.whole("moe_layers"));
        assertThat(model.tiedEmbeddings()).isEqualTo(recipe.whole("tied_embeddings") == 1);
        assertThat(model.attentionBias()).isEqualTo(recipe.whole("qkv_bias") == 1);
        assertThat(attention(model)).isEqualTo(attention(recipe));
        assertThat(experts(model.experts())).isEqualTo(experts(recipe));
        assertThat(linear(model)).isEqualTo(recipe.text("linear_attention"));
    }

    @ParameterizedTest
    @MethodSource("names")
    void readsEveryConfigurationUnderItsNameInAnyCaseAndUnderAnyFolder(String name) {
        assertThat(PublishedModels.named("/models/" + name.toUpperCase() + "/")).isPresent();
    }

    @Test
    void knowsNoModelOfAnotherName() {
        assertThat(PublishedModels.named("Qwen3-5B")).isEmpty();
        assertThat(PublishedModels.named("")).isEmpty();
        assertThat(PublishedModels.named("/")).isEmpty();
    }

    @Test
    void namesEveryPackagedConfiguration() throws IOException {
        Path folder = Path.of(
                System.getProperty("sluice.root"),
                "common/domain/src/main/resources/dev/sluice/domain/model/published");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString().replace(".json", ""))
                            .filter(file -> !file.equals("names")))
                    .isSubsetOf(PublishedModels.names());
        }
    }

    private static BigDecimal billions(long count) {
        return BigDecimal.valueOf(count).movePointLeft(9).setScale(3, RoundingMode.HALF_UP);
    }

    private static List<Integer> attention(ModelSpec model) {
        return switch (model.attention()) {
            case GroupedQueryAttention grouped -> List.of(grouped.heads(), grouped.groups(), grouped.headSize());
            case LatentAttention latent ->
                List.of(
                        latent.heads(),
                        latent.queryRank(),
                        latent.latentRank(),
                        latent.plainHeadSize(),
                        latent.rotaryHeadSize(),
                        latent.valueHeadSize());
        };
    }

    private static List<Integer> attention(Recipes recipe) {
        Stream<String> columns = recipe.whole("mla") == 1
                ? Stream.of("heads", "q_lora", "kv_lora", "qk_head", "rope_head", "v_head")
                : Stream.of("heads", "kv_groups", "head_dim");
        return columns.map(recipe::whole).toList();
    }

    private static List<Integer> experts(Experts experts) {
        return experts == null
                ? List.of(0, 0, 0, 0)
                : List.of(experts.count(), experts.perToken(), experts.size(), experts.sharedSize());
    }

    private static List<Integer> experts(Recipes recipe) {
        return Stream.of("experts", "topk", "moe_ffn", "shared_ffn")
                .map(recipe::whole)
                .toList();
    }

    private static String linear(ModelSpec model) {
        ModelSpec.LinearAttention linear = model.linearAttention();
        return linear == null
                ? ""
                : "%d/%d/%d/%d/%d/%d"
                        .formatted(
                                linear.keyHeads(),
                                linear.valueHeads(),
                                linear.keyHeadSize(),
                                linear.valueHeadSize(),
                                linear.convolutionWidth(),
                                linear.interval());
    }
}
