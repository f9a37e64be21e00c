package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/util/suggest"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// subrequest answers --call, for which a client asks by the id in the option
// requestid. ok is false for a build.
func (r *request) subrequest(ctx context.Context, doc *spec.Document, loadErr error) (res *client.Result, ok bool, err error) {
	id := r.BuildOpts().Opts["requestid"]
	switch id {
	case subrequests.RequestSubrequestsDescribe:
		res, err = describe()
		return res, true, err
	case schemaRequest().Name:
		return answer(schemaRequest(), spec.Schema(), spec.Schema()), true, nil
	case tagsRequest().Name:
		if loadErr != nil {
			return nil, true, loadErr
		}
		res, err = r.tags(ctx, doc)
		return res, true, err
	}
	if strings.HasPrefix(id, ownRequests) {
		return nil, true, unknownRequest(id)
	}
	return r.HandleSubrequest(ctx, r.handler(doc, loadErr))
}

// handler answers the requests that the Dockerfile frontend knows. All of targets,
// outline and lint must be there: a client that gets "unsupported" asks the
// Dockerfile frontend instead, with our YAML.
func (r *request) handler(doc *spec.Document, loadErr error) dockerui.RequestHandler {
	return dockerui.RequestHandler{
		ListTargets: func(context.Context) (*targets.List, error) { return listTargets(), nil },
		Outline:     func(context.Context) (*outline.Outline, error) { return r.outline() },
		Lint:        func(context.Context) (*lint.LintResults, error) { return r.lint(doc, loadErr) },
		ConvertLLB: func(ctx context.Context) (*convertllb.Result, error) {
			if loadErr != nil {
				return nil, loadErr
			}
			if err := r.prepare(doc); err != nil {
				return nil, err
			}
			return r.convertLLB(ctx)
		},
	}
}

// ownRequests is what the ids of our own requests begin with. A client puts
// "frontend." in front of what --call names.
const ownRequests = "frontend.openhands."

func unknownRequest(id string) error {
	name := func(id string) string { return strings.TrimPrefix(id, "frontend.") }
	known := []string{name(tagsRequest().Name), name(schemaRequest().Name)}
	err := fmt.Errorf("unknown request %q: this frontend answers %s, and others that --call=subrequests.describe lists", name(id), strings.Join(known, ", "))
	return suggest.WrapError(err, name(id), known, true)
}

// tagsRequest and schemaRequest are requests of our own: --call=openhands.tags and
// --call=openhands.schema.
func tagsRequest() subrequests.Request {
	return subrequests.Request{
		Name: ownRequests + "tags", Version: "1.0.0", Type: subrequests.TypeRPC,
		Description: "List the tags of the image",
		Opts: []subrequests.Named{
			{Name: "target", Description: "Target build stage"},
			{Name: "build-arg:" + spec.RuntimeImageRepo, Description: "Repository to put in front of the tags"},
		},
		Metadata: resultMetadata(),
	}
}

func schemaRequest() subrequests.Request {
	return subrequests.Request{
		Name: ownRequests + "schema", Version: "1.0.0", Type: subrequests.TypeRPC,
		Description: "Show the JSON schema of a spec",
		Metadata:    resultMetadata(),
	}
}

func resultMetadata() []subrequests.Named {
	return []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}}
}

// answer is the result of a request: what format=json shows, and the text.
func answer(req subrequests.Request, json, text []byte) *client.Result {
	res := client.NewResult()
	res.AddMeta("result.json", json)
	res.AddMeta("result.txt", text)
	res.AddMeta("version", []byte(req.Version))
	return res
}

// describe lists all requests; the answer that dockerui has leaves some out.
func describe() (*client.Result, error) {
	check, convert := lint.SubrequestLintDefinition, convertllb.SubrequestConvertLLBDefinition
	check.Description = "Check a spec for mistakes and bad habits (check)" // theirs are about Dockerfiles
	convert.Description = "Show the graph of the build"
	dt, err := json.MarshalIndent([]subrequests.Request{
		check,
		outline.SubrequestsOutlineDefinition,
		targets.SubrequestsTargetsDefinition,
		tagsRequest(),
		schemaRequest(),
		convert,
		subrequests.SubrequestsDescribeDefinition,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(dt, &text); err != nil {
		return nil, err
	}
	return answer(subrequests.SubrequestsDescribeDefinition, dt, text.Bytes()), nil
}

func listTargets() *targets.List {
	list := &targets.List{}
	for i, t := range allTargets() {
		list.Targets = append(list.Targets, targets.Target{Name: t.name, Default: i == 0, Description: t.description})
	}
	return list
}
