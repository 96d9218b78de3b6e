// Package standin serves a few resources of a Pulumi provider in the place of
// the real plugin, on machines that cannot download it. What the stand-in knows
// is what its schema lists; everything else is refused by name, never ignored.
package standin

import (
	"context"
	"fmt"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Logger shows one line beside the resource that is being worked on.
type Logger func(line string)

// Resource is what a stand-in does for one resource type. Maps hold properties by
// name; a returned map holds only what the resource adds to its inputs.
type Resource interface {
	// Check finds what is wrong with inputs beyond their names and types.
	Check(inputs property.Map) []plugin.CheckFailure
	Create(ctx context.Context, log Logger, name string, inputs property.Map) (id string, outputs property.Map, err error)
	Update(ctx context.Context, log Logger, inputs, oldState property.Map) (outputs property.Map, err error)
	Delete(ctx context.Context, log Logger, state property.Map) error
}

// Provider answers the engine for one stand-in.
type Provider struct {
	plugin.UnimplementedProvider

	schema    *Schema
	resources map[tokens.Type]Resource
	host      *provider.HostClient
	// stopped ends when the engine cancels the deployment.
	stopped context.Context
	stop    context.CancelFunc
}

// New makes a provider; host may be nil, then nothing is logged.
func New(schemaJSON []byte, resources map[tokens.Type]Resource, host *provider.HostClient) (*Provider, error) {
	schema, err := parseSchema(schemaJSON)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Provider{schema: schema, resources: resources, host: host, stopped: ctx, stop: cancel}, nil
}

// Main serves a stand-in to the engine that started this process, until the engine is done with it.
func Main(name string, schemaJSON []byte, resources map[tokens.Type]Resource) error {
	return provider.Main(name, func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		p, err := New(schemaJSON, resources, host)
		if err != nil {
			return nil, err
		}
		return plugin.NewProviderServer(p), nil
	})
}

func (p *Provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

func (p *Provider) Close() error { p.stop(); return nil }

func (p *Provider) SignalCancellation(context.Context) error { p.stop(); return nil }

func (p *Provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: p.schema.raw}, nil
}

func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version, err := semver.Parse(p.schema.Version)
	if err != nil {
		return plugin.PluginInfo{}, fmt.Errorf("version of the schema: %w", err)
	}
	return plugin.PluginInfo{Version: &version}, nil
}

func (p *Provider) CheckConfig(_ context.Context, r plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: r.News}, nil
}

func (p *Provider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (p *Provider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (p *Provider) Check(_ context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	res, spec, err := p.find(r.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	inputs := resource.FromResourcePropertyMap(r.News)
	failures := spec.check(inputs, p.refusal)
	if len(failures) == 0 {
		failures = res.Check(inputs)
	}
	return plugin.CheckResponse{Properties: r.News, Failures: failures}, nil
}

func (p *Provider) Diff(_ context.Context, r plugin.DiffRequest) (plugin.DiffResponse, error) {
	_, spec, err := p.find(r.Type)
	if err != nil {
		return plugin.DiffResult{}, err
	}
	changes := r.OldInputs.Diff(r.NewInputs)
	if changes == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	diff := plugin.DiffResult{Changes: plugin.DiffSome}
	for _, key := range changes.ChangedKeys() {
		diff.ChangedKeys = append(diff.ChangedKeys, key)
		if spec.InputProperties[string(key)].ReplaceOnChanges {
			diff.ReplaceKeys = append(diff.ReplaceKeys, key)
		}
	}
	return diff, nil
}

func (p *Provider) Create(ctx context.Context, r plugin.CreateRequest) (plugin.CreateResponse, error) {
	res, spec, err := p.find(r.Type)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if r.Preview {
		return plugin.CreateResponse{Properties: with(r.Properties, spec.unknownOutputs())}, nil
	}
	ctx, done := p.untilStopped(ctx)
	defer done()
	id, outputs, err := res.Create(ctx, p.logger(r.URN), r.Name, resource.FromResourcePropertyMap(r.Properties))
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	return plugin.CreateResponse{ID: resource.ID(id), Properties: with(r.Properties, outputs), Status: resource.StatusOK}, nil
}

func (p *Provider) Update(ctx context.Context, r plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	res, spec, err := p.find(r.Type)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	if r.Preview {
		return plugin.UpdateResponse{Properties: with(r.NewInputs, spec.unknownOutputs())}, nil
	}
	ctx, done := p.untilStopped(ctx)
	defer done()
	outputs, err := res.Update(ctx, p.logger(r.URN),
		resource.FromResourcePropertyMap(r.NewInputs), resource.FromResourcePropertyMap(r.OldOutputs))
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	return plugin.UpdateResponse{Properties: with(r.NewInputs, outputs), Status: resource.StatusOK}, nil
}

// Read gives back what the stack already knows: these resources live in the stack's state alone.
func (p *Provider) Read(_ context.Context, r plugin.ReadRequest) (plugin.ReadResponse, error) {
	if _, _, err := p.find(r.Type); err != nil {
		return plugin.ReadResponse{}, err
	}
	if len(r.State) == 0 {
		return plugin.ReadResponse{}, p.refusal("import of " + string(r.Type))
	}
	read := plugin.ReadResult{ID: r.ID, Inputs: r.Inputs, Outputs: r.State}
	return plugin.ReadResponse{ReadResult: read, Status: resource.StatusOK}, nil
}

func (p *Provider) Delete(ctx context.Context, r plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	res, _, err := p.find(r.Type)
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	ctx, done := p.untilStopped(ctx)
	defer done()
	err = res.Delete(ctx, p.logger(r.URN), resource.FromResourcePropertyMap(r.Outputs))
	return plugin.DeleteResponse{}, err
}

func (p *Provider) Invoke(_ context.Context, r plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, p.refusal("function " + string(r.Tok))
}

func (p *Provider) Construct(_ context.Context, r plugin.ConstructRequest) (plugin.ConstructResponse, error) {
	return plugin.ConstructResponse{}, p.refusal("component " + string(r.Type))
}

// find returns what is known of a resource type, or says who does not know it.
func (p *Provider) find(t tokens.Type) (Resource, *resourceSpec, error) {
	res, ok := p.resources[t]
	spec, listed := p.schema.Resources[t]
	if !ok || !listed {
		return nil, nil, p.refusal("resource type " + string(t))
	}
	return res, spec, nil
}

// refusal says that what is beyond this stand-in, and what would know it.
func (p *Provider) refusal(what string) error {
	return fmt.Errorf("%s: not in the lab's stand-in for Pulumi's %s plugin; put the real one, %s, into $PULUMI_HOME/plugins",
		what, p.schema.Name, p.schema.Version)
}

// untilStopped gives a context that also ends when the engine cancels.
func (p *Provider) untilStopped(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	forget := context.AfterFunc(p.stopped, cancel)
	return ctx, func() { forget(); cancel() }
}

func (p *Provider) logger(urn resource.URN) Logger {
	if p.host == nil {
		return func(string) {}
	}
	return func(line string) {
		// A line that cannot be shown is no reason to fail; ephemeral as in the real plugins.
		_ = p.host.LogStatus(context.WithoutCancel(p.stopped), diag.Info, urn, strings.TrimRight(line, "\r"))
	}
}

// with returns the inputs as they came, secrets and all, and outputs added.
func with(inputs resource.PropertyMap, outputs property.Map) resource.PropertyMap {
	state := inputs.Copy()
	for key, value := range resource.ToResourcePropertyMap(outputs) {
		state[key] = value
	}
	return state
}
