// Redpanda Connect with only the components that the pipeline here needs: the WebSocket input, mappings and the Kafka output.
package main

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	_ "github.com/redpanda-data/connect/v4/public/components/kafka"
)

func main() { service.RunCLI(context.Background()) }
