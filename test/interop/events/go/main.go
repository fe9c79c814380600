// Reads a topic of Heddle from its beginning to its present end, and writes one line of JSON for each event.
//
// Knows nothing of Heddle but its protobuf descriptors: consume BROKERS TOPIC heddle.binpb
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const deadline = 60 * time.Second

type line struct {
	Partition    int32             `json:"partition"`
	Offset       int64             `json:"offset"`
	Key          string            `json:"key"`
	Headers      map[string]string `json:"headers"`
	Event        json.RawMessage   `json:"event"`
	KeyBelongsTo int               `json:"keyBelongsTo"`
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(brokers, topic, descriptors string) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	message, err := findMessage(descriptors, topic)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, count, err := listEnds(ctx, client, topic)
	if err != nil {
		return err
	}
	// Where franz-go itself would put a key: by Java's hash unless told otherwise.
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	output := json.NewEncoder(os.Stdout)
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		if errors := fetches.Errors(); len(errors) > 0 {
			return fmt.Errorf("partition %d: %w", errors[0].Partition, errors[0].Err)
		}
		for _, record := range fetches.Records() {
			end, open := ends[record.Partition]
			if !open {
				continue
			}
			if record.Offset+1 >= end {
				delete(ends, record.Partition)
			}
			event, err := decode(message, record.Value)
			if err != nil {
				return err
			}
			headers := map[string]string{}
			for _, header := range record.Headers {
				headers[header.Key] = string(header.Value)
			}
			err = output.Encode(line{
				record.Partition, record.Offset, string(record.Key), headers, event, partitioner.Partition(record, count),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// The descriptor of a message by its full name, which is the name of the topic.
func findMessage(path, name string) (protoreflect.MessageDescriptor, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(bytes, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	message, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no message", name)
	}
	return message, nil
}

func decode(descriptor protoreflect.MessageDescriptor, value []byte) (json.RawMessage, error) {
	event := dynamicpb.NewMessage(descriptor)
	if err := proto.Unmarshal(value, event); err != nil {
		return nil, err
	}
	return protojson.Marshal(event)
}

// The offsets at which the partitions that hold anything end now, and how many partitions there are.
func listEnds(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, int, error) {
	metadata := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = kmsg.StringPtr(topic)
	metadata.Topics = append(metadata.Topics, asked)
	described, err := metadata.RequestWith(ctx, client)
	if err != nil {
		return nil, 0, err
	}
	count := len(described.Topics[0].Partitions)
	list := kmsg.NewPtrListOffsetsRequest()
	list.ReplicaID = -1
	wanted := kmsg.NewListOffsetsRequestTopic()
	wanted.Topic = topic
	for partition := range int32(count) {
		end := kmsg.NewListOffsetsRequestTopicPartition()
		end.Partition = partition
		end.Timestamp = -1
		wanted.Partitions = append(wanted.Partitions, end)
	}
	list.Topics = append(list.Topics, wanted)
	listed, err := list.RequestWith(ctx, client)
	if err != nil {
		return nil, 0, err
	}
	ends := map[int32]int64{}
	for _, partition := range listed.Topics[0].Partitions {
		if partition.Offset > 0 {
			ends[partition.Partition] = partition.Offset
		}
	}
	return ends, count, nil
}
