package dev.sluice.cli.plan;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.plan.PlanDesk;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.slime.Imported;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Plans requests on this machine, with what of their files is here. */
public final class RequestPlan {
    private RequestPlan() {}

    /**
     * Plans a request that lies in a file.
     *
     * @param asWritten whether the request is the file's content, so that values stand in its lines
     * @param model where the model's config.json lies, absent where it is the request's path
     */
    public static Planned of(JsonNode request, Path file, boolean asWritten, @Nullable Path model) {
        LocalFiles files = new LocalFiles(model);
        return new Planned(
                PlanDesk.check(RequestReader.read(request), files::look), asWritten ? Places.of(file) : Places.NONE);
    }

    /** Plans what a script came to, and judges the script's own settings. */
    public static Planned of(Imported script, @Nullable Path model) {
        LocalFiles files = new LocalFiles(model);
        return new Planned(
                PlanDesk.check(
                        RequestReader.read(script.request()),
                        request -> files.look(request).of(script.script())),
                new Places(script.places()));
    }
}
