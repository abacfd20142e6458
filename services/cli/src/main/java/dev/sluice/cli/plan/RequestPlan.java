package dev.sluice.cli.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.plan.PlanDesk;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.RequestReader;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Plans a request on this machine, with what of its files is here.
 *
 * @param model where the model's config.json lies, absent where it is the request's path
 */
public record RequestPlan(@Nullable Path model) {

    /**
     * @param file where the request came from
     * @param asWritten whether the request is the file's content, so that places in it are lines of the file
     */
    public Planned of(ObjectNode request, Path file, boolean asWritten) {
        LocalFiles files = new LocalFiles(model);
        Verdict verdict = PlanDesk.check(RequestReader.read(request), files::look);
        return new Planned(verdict, file, asWritten ? LinesOfDocument.of(file) : LinesOfDocument.NONE);
    }
}
