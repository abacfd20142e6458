package dev.sluice.domain.memory;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.model.Parameters.Split;

/** Parameters of the layers before each layer, so that any stretch of layers is one subtraction. */
public final class LayerSums {
    private final ModelSpec model;
    private final Split[] before;
    private final Split mtpLayer;
    private final long embedding;

    private LayerSums(ModelSpec model) {
        Parameters parameters = new Parameters(model);
        this.model = model;
        before = new Split[model.layers() + 1];
        before[0] = Split.NONE;
        for (int layer = 0; layer < model.layers(); layer++) {
            before[layer + 1] = before[layer].plus(parameters.layer(layer));
        }
        mtpLayer = parameters.mtpLayer();
        embedding = parameters.embedding();
    }

    public static LayerSums of(ModelSpec model) {
        return new LayerSums(model);
    }

    public ModelSpec model() {
        return model;
    }

    /** Parameters of these layers, the last excluded. */
    public Split between(int first, int end) {
        Split to = before[end];
        Split from = before[first];
        return new Split(
                to.sharded() - from.sharded(), to.replicated() - from.replicated(), to.experts() - from.experts());
    }

    public Split mtpLayer() {
        return mtpLayer;
    }

    public long embedding() {
        return embedding;
    }

    /** All of the model but MTP layers. */
    public long total() {
        return before[model.layers()].total() + (model.tiedEmbeddings() ? 1 : 2) * embedding + model.hiddenSize();
    }
}
